import t from 'tap';
import { ExpiringMap } from '../../src/base/expiring-map.js';

t.test('an entry lives for its lifetime, not a millisecond longer', async (t) => {
  const map = new ExpiringMap<string, number>(100, 10);
  map.set('a', 1, 1000);
  t.equal(map.get('a', 1000), 1);
  t.equal(map.get('a', 1099.9), 1);
  t.equal(map.get('a', 1100), undefined);
});

t.test('an entry can be taken once', async (t) => {
  const map = new ExpiringMap<string, number>(100, 10);
  map.set('a', 1, 0);
  t.equal(map.take('a', 50), 1);
  t.equal(map.take('a', 50), undefined);
  map.set('b', 2, 0);
  t.equal(map.take('b', 100), undefined, 'too late');
  t.equal(map.size, 0);
});

t.test('setting an entry again restarts its lifetime', async (t) => {
  const map = new ExpiringMap<string, number>(100, 10);
  map.set('a', 1, 0);
  map.set('b', 2, 10);
  map.set('a', 3, 90);
  t.equal(map.get('a', 150), 3);
  map.expire(150);
  t.equal(map.size, 1, 'b is gone though a was made before it');
});

t.test('a full map removes the oldest entry', async (t) => {
  const map = new ExpiringMap<number, number>(1000, 3);
  for (let key = 0; key < 10; key += 1) {
    map.set(key, key, key);
    t.ok(map.size <= 3);
  }
  t.same([...map.values(10)], [7, 8, 9]);
  map.set(8, 80, 11);
  t.same([...map.values(11)], [7, 9, 80], 'a known key pushes nobody out');
});

t.test('expired entries are removed first', async (t) => {
  const map = new ExpiringMap<string, number>(100, 2);
  map.set('a', 1, 0);
  map.set('b', 2, 90);
  map.set('c', 3, 120);
  t.same([...map.values(120)], [2, 3]);
});

t.test('entries can be listed, deleted and cleared', async (t) => {
  const map = new ExpiringMap<string, number>(100, 10);
  map.set('a', 1, 0);
  map.set('b', 2, 50);
  t.same([...map.values(100)], [2]);
  t.ok(map.delete('b'));
  t.notOk(map.delete('b'));
  map.clear();
  t.equal(map.size, 0);
});

t.test('a capacity below 1 throws', async (t) => {
  t.throws(() => new ExpiringMap(1, 0), RangeError);
});
