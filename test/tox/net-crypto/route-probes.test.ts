import t from 'tap';
import { RouteProbes } from '../../../src/tox/net-crypto/route-probes.js';
import { SeededRandom } from '../../support/seeded-random.js';

/** Requests and answers are their echo. */
function probes(): RouteProbes {
  const packetOf = (echo: bigint): Buffer => Buffer.from(String(echo));
  return new RouteProbes({
    random: new SeededRandom(1),
    build: packetOf,
    isAnswer: (packet, echo) => packet.equals(packetOf(echo)),
  });
}

t.test('an answer counts for the route by which it was asked for, and once', async (t) => {
  const all = probes();
  const request = all.next('a', 1000);
  t.notSame(all.next('b', 1000), request);
  t.equal(all.answered('b', request, 1020), undefined);
  t.equal(all.answered('a', request, 1020), 20);
  t.equal(all.answered('a', request, 1030), undefined);
});

t.test(
  'requests without an answer have the same echo, so that any answer is good, and the next ones another',
  async (t) => {
    const all = probes();
    const request = all.next('a', 1000);
    t.same(all.next('a', 1250), request);
    t.equal(all.unansweredSince('a'), 1000);
    t.equal(all.sentAt('a'), 1250);
    t.equal(all.answered('a', request, 1270), 20, 'by the last one');
    t.equal(all.unansweredSince('a'), Number.POSITIVE_INFINITY);
    t.notSame(all.next('a', 2000), request);
  },
);

t.test('what a route was asked is forgotten with it', async (t) => {
  const all = probes();
  const request = all.next('a', 1000);
  all.forget('a');
  t.equal(all.answered('a', request, 1020), undefined);
});
