import t from 'tap';
import { DataLimit, sourceByRelay, sourceByUdp } from '../../../src/tox/onion/data-limit.js';
import { node } from '../../support/nodes.js';

const HOPS = Array.from({ length: 17 }, (_, index) =>
  node((index + 1).toString(16).padStart(2, '0'), `192.0.2.${index + 1}`),
);
const [FIRST, SECOND, THIRD] = HOPS as [(typeof HOPS)[0], (typeof HOPS)[0], (typeof HOPS)[0]];

/** How many of so many may be opened at that moment. */
function opened(limit: DataLimit, source: string, { of, now = 0 }: { of: number; now?: number }): number {
  let count = 0;
  for (let index = 0; index < of; index += 1) if (limit.take(source, now)) count += 1;
  return count;
}

t.test('sources that are no first hop share one limit', async (t) => {
  const limit = new DataLimit(0);
  t.equal(opened(limit, 'a', { of: 150 }) + opened(limit, 'b', { of: 150 }), 200);
  t.equal(opened(limit, 'c', { of: 150, now: 1_000 }), 100);
});

t.test('a first hop has a share that neither strangers nor another first hop can use up', async (t) => {
  const limit = new DataLimit(0);
  limit.noteFirstHop(FIRST, 0);
  limit.noteFirstHop({ ...SECOND, transport: 'tcp' }, 0);
  opened(limit, 'a', { of: 10_000 });
  opened(limit, sourceByUdp(FIRST.endpoint), { of: 10_000 });
  t.equal(opened(limit, sourceByRelay(SECOND), { of: 10_000 }), 50);
  t.equal(opened(limit, sourceByUdp(SECOND.endpoint), { of: 10 }), 0, 'only over the relay');
});

t.test('a single first hop may use the share of all', async (t) => {
  const limit = new DataLimit(0);
  limit.noteFirstHop(FIRST, 0);
  opened(limit, sourceByUdp(FIRST.endpoint), { of: 10_000 });
  t.equal(opened(limit, sourceByUdp(FIRST.endpoint), { of: 10_000, now: 1_000 }), 525);
});

t.test('when there are too many first hops, the one that was confirmed longest ago loses its share', async (t) => {
  const limit = new DataLimit(0);
  for (const hop of HOPS.slice(0, 16)) limit.noteFirstHop(hop, 0);
  limit.noteFirstHop(FIRST, 0);
  limit.take(sourceByUdp(SECOND.endpoint), 0);
  limit.noteFirstHop(HOPS[16] as typeof FIRST, 0);
  opened(limit, 'a', { of: 10_000 });
  t.ok(limit.take(sourceByUdp(FIRST.endpoint), 0));
  t.ok(limit.take(sourceByUdp(THIRD.endpoint), 0));
  t.notOk(limit.take(sourceByUdp(SECOND.endpoint), 0));
});
