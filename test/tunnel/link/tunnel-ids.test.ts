import t from 'tap';
import { TunnelIds } from '../../../src/tunnel/link/tunnel-ids.js';
import { SeededRandom } from '../../support/seeded-random.js';

t.test('ids are unique while taken, from 1 to 65535, and in no order', async (t) => {
  const ids = new TunnelIds(new SeededRandom(1));
  const taken = Array.from({ length: 2000 }, () => ids.take());
  t.equal(new Set(taken).size, 2000);
  t.ok(taken.every((id) => id >= 1 && id <= 0xffff));
  t.ok(taken.filter((id, index) => id > (taken[index - 1] ?? 0)).length < 1200);
});

t.test('a freed id is not used again before others were', async (t) => {
  const ids = new TunnelIds(new SeededRandom(2));
  const lastSeen = new Map<number, number>();
  let shortest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 100_000; round += 1) {
    const id = ids.take();
    shortest = Math.min(shortest, round - (lastSeen.get(id) ?? Number.NEGATIVE_INFINITY));
    lastSeen.set(id, round);
    ids.release(id);
  }
  t.ok(shortest > 1000, `${shortest}`);
});

t.test('releasing an id that is not taken changes nothing', async (t) => {
  const ids = new TunnelIds(new SeededRandom(3));
  const id = ids.take();
  ids.release(id === 5 ? 6 : 5);
  t.not(ids.take(), id);
});
