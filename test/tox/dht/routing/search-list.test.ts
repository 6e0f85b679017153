import t from 'tap';
import { SearchList } from '../../../../src/tox/dht/routing/search-list.js';
import { at, keyOf } from '../../../support/nodes.js';

const TARGET = keyOf('00');
const key = (distance: number) => keyOf(distance.toString(16).padStart(2, '0'));
const address = (index: number) => at(`192.0.2.${index}`);

/** Holds the distances 2, 4, … 16. */
function fullList(): SearchList {
  const list = new SearchList(TARGET);
  for (let distance = 16; distance > 0; distance -= 2) list.insert(key(distance), address(distance), 0);
  return list;
}

const distances = (list: SearchList): number[] => list.nodes().map((node) => node.publicKey.bytes[0] as number);

t.test('the eight nearest nodes stay, in order', async (t) => {
  const list = fullList();
  t.same(distances(list), [2, 4, 6, 8, 10, 12, 14, 16]);
  t.equal(list.insert(key(5), address(5), 1000), 'new');
  t.same(distances(list), [2, 4, 5, 6, 8, 10, 12, 14]);
  t.notOk(list.wants(key(15), address(15), 1000));
  t.equal(list.insert(key(15), address(15), 1000), 'refused');
});

t.test('a bad node makes room even for a farther one', async (t) => {
  const list = fullList();
  for (let distance = 4; distance <= 16; distance += 2) list.insert(key(distance), address(distance), 60_000);
  t.ok(list.wants(key(200), address(200), 122_000));
  t.equal(list.insert(key(200), address(200), 122_000), 'new');
  t.same(distances(list), [4, 6, 8, 10, 12, 14, 16, 200]);
});

t.test('the target itself always enters', async (t) => {
  const list = fullList();
  t.ok(list.wants(TARGET, address(100), 1000));
  t.equal(list.insert(TARGET, address(100), 1000), 'new');
  t.equal(distances(list)[0], 0);
});

t.test('a new key at a known address replaces the old key', async (t) => {
  const list = fullList();
  t.equal(list.insert(key(200), address(8), 1000), 'new');
  t.same(distances(list), [2, 4, 6, 10, 12, 14, 16, 200]);
});

t.test('a known node is wanted when it is not good by that family', async (t) => {
  const list = fullList();
  t.notOk(list.wants(key(2), address(2), 1000));
  t.ok(list.wants(key(2), at('2001:db8::1'), 1000));
  t.ok(list.wants(key(2), address(2), 122_000));
  t.equal(list.insert(key(2), address(2), 122_000), 'new', 'it came back');
});
