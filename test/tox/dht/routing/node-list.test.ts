import t from 'tap';
import type { DhtNode } from '../../../../src/tox/dht/routing/dht-node.js';
import { NodeList } from '../../../../src/tox/dht/routing/node-list.js';
import { at, keyOf } from '../../../support/nodes.js';

/** Keys of one bucket of the close list: they have no bit in common with the key 00…. */
const inBucket = (index: number) => keyOf(`80${index.toString(16).padStart(2, '0')}`);
const address = (index: number) => at(`192.0.2.${index}`);

function fullBucket(): NodeList {
  const list = NodeList.close(keyOf('00'));
  for (let index = 0; index < 8; index += 1) list.insert(inBucket(index), address(index), 0);
  return list;
}

t.test('a bucket takes eight nodes, and good ones are never evicted', async (t) => {
  const list = fullBucket();
  t.notOk(list.wants(inBucket(8), address(8), 1000));
  t.equal(list.insert(inBucket(8), address(8), 1000), 'refused');
  t.equal(list.nodes().length, 8);
  t.equal(list.insert(keyOf('40'), address(9), 1000), 'new', 'another bucket has room');
});

t.test('a bad node makes room', async (t) => {
  const list = fullBucket();
  for (let index = 1; index < 8; index += 1) list.insert(inBucket(index), address(index), 60_000);
  t.ok(list.wants(inBucket(8), address(8), 122_000));
  t.equal(list.insert(inBucket(8), address(8), 122_000), 'new');
  t.equal(list.find(inBucket(0)), undefined);
  t.not(list.find(inBucket(8)), undefined);
  t.equal(list.nodes().length, 8);
});

t.test('a known node is refreshed, and is new again when it had gone bad', async (t) => {
  const list = fullBucket();
  t.equal(list.insert(inBucket(0), address(0), 1000), 'refreshed');
  t.equal(list.insert(inBucket(0), address(100), 2000), 'refreshed', 'at another address');
  t.ok(list.find(inBucket(0))?.isAt(address(100)));
  t.equal(list.insert(inBucket(0), address(0), 200_000), 'new');
});

t.test('a new key at a known address replaces the old key, also in another bucket', async (t) => {
  const list = fullBucket();
  t.equal(list.insert(keyOf('40'), address(3), 1000), 'new');
  t.equal(list.find(inBucket(3)), undefined);
  t.not(list.find(keyOf('40')), undefined);
  t.equal(list.nodes().length, 8);
});

t.test('a good node is wanted only for a family by which it is not known', async (t) => {
  const list = fullBucket();
  t.notOk(list.wants(inBucket(0), address(0), 1000));
  t.ok(list.wants(inBucket(0), at('2001:db8::1'), 1000));
  t.ok(list.wants(inBucket(0), address(0), 122_000));
});

t.test('keys that differ from ours in the last bits only share the last bucket', async (t) => {
  const list = NodeList.close(keyOf('00'));
  for (let index = 1; index <= 9; index += 1) {
    const near = keyOf(`${'00'.repeat(30)}${index.toString(16).padStart(4, '0')}`);
    t.equal(list.insert(near, address(index), 0), index <= 8 ? 'new' : 'refused');
  }
});

t.test('the heads are those of the nodes, in the same order, whatever enters or leaves', async (t) => {
  const list = fullBucket();
  const check = (what: string): void => {
    const heads = list.nodes().map(({ publicKey }) => publicKey.head);
    t.same([...list.heads()], heads, what);
  };
  check('a full bucket');
  list.insert(keyOf('40'), address(9), 0);
  check('a node of another bucket more');
  list.remove(list.find(inBucket(2)) as DhtNode);
  check('a node less');
});

const TARGET = keyOf('00');
const key = (distance: number) => keyOf(distance.toString(16).padStart(2, '0'));

/** Holds the distances 2, 4, … 16. */
function fullList(): NodeList {
  const list = NodeList.search(TARGET);
  for (let distance = 16; distance > 0; distance -= 2) list.insert(key(distance), address(distance), 0);
  return list;
}

const distances = (list: NodeList): number[] => list.nodes().map((node) => node.publicKey.bytes[0] as number);

t.test('the eight nodes nearest to the key of a search stay, in order', async (t) => {
  const list = fullList();
  t.same(distances(list), [2, 4, 6, 8, 10, 12, 14, 16]);
  t.equal(list.insert(key(5), address(5), 1000), 'new');
  t.same(distances(list), [2, 4, 5, 6, 8, 10, 12, 14]);
  t.notOk(list.wants(key(15), address(15), 1000));
  t.equal(list.insert(key(15), address(15), 1000), 'refused');
});

t.test('in a search a bad node makes room even for a farther one', async (t) => {
  const list = fullList();
  for (let distance = 4; distance <= 16; distance += 2) list.insert(key(distance), address(distance), 60_000);
  t.ok(list.wants(key(200), address(200), 122_000));
  t.equal(list.insert(key(200), address(200), 122_000), 'new');
  t.same(distances(list), [4, 6, 8, 10, 12, 14, 16, 200]);
});

t.test('the node searched for itself always enters', async (t) => {
  const list = fullList();
  t.ok(list.wants(TARGET, address(100), 1000));
  t.equal(list.insert(TARGET, address(100), 1000), 'new');
  t.equal(distances(list)[0], 0);
});

t.test('in a search a new key at a known address replaces the old key', async (t) => {
  const list = fullList();
  t.equal(list.insert(key(200), address(8), 1000), 'new');
  t.same(distances(list), [2, 4, 6, 10, 12, 14, 16, 200]);
});

t.test('in a search a known node is wanted when it is not good by that family', async (t) => {
  const list = fullList();
  t.notOk(list.wants(key(2), address(2), 1000));
  t.ok(list.wants(key(2), at('2001:db8::1'), 1000));
  t.ok(list.wants(key(2), address(2), 122_000));
  t.equal(list.insert(key(2), address(2), 122_000), 'new', 'it came back');
});
