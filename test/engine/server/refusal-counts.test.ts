import t from 'tap';
import { RefusalCounts } from '../../../src/engine/server/refusal-counts.js';
import { ManualClock } from '../../support/manual-clock.js';

const HOUR = 3_600_000;

t.test('refusals are counted since the start, and within the last 24 hours', async (t) => {
  const clock = new ManualClock();
  const counts = new RefusalCounts(clock);
  counts.add('banned');
  counts.add('closed');
  clock.advance(23 * HOUR);
  counts.add('banned');
  t.same(counts.lastDay, { banned: 2, closed: 1 });
  clock.advance(2 * HOUR);
  t.same(counts.lastDay, { banned: 1 });
  t.same(counts.total, { banned: 2, closed: 1 });
});
