import t from 'tap';
import { CloseList } from '../../../../src/tox/dht/routing/close-list.js';
import { at, keyOf } from '../../../support/nodes.js';

/** Keys of one bucket: they have no bit in common with the key 00…. */
const key = (index: number) => keyOf(`80${index.toString(16).padStart(2, '0')}`);
const address = (index: number) => at(`192.0.2.${index}`);

function fullBucket(): CloseList {
  const list = new CloseList(keyOf('00'));
  for (let index = 0; index < 8; index += 1) list.insert(key(index), address(index), 0);
  return list;
}

t.test('a bucket takes eight nodes, and good ones are never evicted', async (t) => {
  const list = fullBucket();
  t.notOk(list.hasRoom(key(8), 1000));
  t.notOk(list.wants(key(8), address(8), 1000));
  t.equal(list.insert(key(8), address(8), 1000), 'refused');
  t.equal(list.nodes().length, 8);
  t.equal(list.insert(keyOf('40'), address(9), 1000), 'new', 'another bucket has room');
});

t.test('a bad node makes room', async (t) => {
  const list = fullBucket();
  for (let index = 1; index < 8; index += 1) list.insert(key(index), address(index), 60_000);
  t.ok(list.wants(key(8), address(8), 122_000));
  t.equal(list.insert(key(8), address(8), 122_000), 'new');
  t.equal(list.find(key(0)), undefined);
  t.not(list.find(key(8)), undefined);
  t.equal(list.nodes().length, 8);
});

t.test('a known node is refreshed, and is new again when it had gone bad', async (t) => {
  const list = fullBucket();
  t.equal(list.insert(key(0), address(0), 1000), 'refreshed');
  t.equal(list.insert(key(0), address(100), 2000), 'refreshed', 'at another address');
  t.ok(list.find(key(0))?.isAt(address(100)));
  t.equal(list.insert(key(0), address(0), 200_000), 'new');
});

t.test('a new key at a known address replaces the old key, also in another bucket', async (t) => {
  const list = fullBucket();
  t.equal(list.insert(keyOf('40'), address(3), 1000), 'new');
  t.equal(list.find(key(3)), undefined);
  t.not(list.find(keyOf('40')), undefined);
  t.equal(list.nodes().length, 8);
});

t.test('a good node is wanted only for a family by which it is not known', async (t) => {
  const list = fullBucket();
  t.notOk(list.wants(key(0), address(0), 1000));
  t.ok(list.wants(key(0), at('2001:db8::1'), 1000));
  t.ok(list.wants(key(0), address(0), 122_000));
});

t.test('keys that differ from ours in the last bits only share the last bucket', async (t) => {
  const list = new CloseList(keyOf('00'));
  for (let index = 1; index <= 9; index += 1) {
    const near = keyOf(`${'00'.repeat(30)}${index.toString(16).padStart(4, '0')}`);
    t.equal(list.insert(near, address(index), 0), index <= 8 ? 'new' : 'refused');
  }
});
