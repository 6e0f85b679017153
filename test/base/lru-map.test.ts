import t from 'tap';
import { LruMap } from '../../src/base/lru-map.js';

t.test('a full map removes the least recently used entry', async (t) => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  t.equal(map.get('a'), 1);
  map.set('c', 3);
  t.equal(map.get('b'), undefined, 'a was read since');
  t.equal(map.get('a'), 1);
  t.equal(map.get('c'), 3);
  t.equal(map.size, 2);
});

t.test('setting a known key again removes no other entry', async (t) => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  t.equal(map.size, 2);
  map.set('c', 4);
  t.equal(map.get('b'), undefined);
  t.equal(map.get('a'), 3);
});

t.test('the size never exceeds the capacity', async (t) => {
  const map = new LruMap<number, number>(5);
  for (let key = 0; key < 100; key += 1) map.set(key, key);
  t.equal(map.size, 5);
  t.equal(map.get(94), undefined);
  t.equal(map.get(95), 95);
});

t.test('entries can be deleted and cleared', async (t) => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  t.ok(map.delete('a'));
  t.notOk(map.delete('a'));
  map.set('b', 1);
  map.clear();
  t.equal(map.size, 0);
});

t.test('a capacity below 1 throws', async (t) => {
  t.throws(() => new LruMap(0), RangeError);
});
