import t from 'tap';
import { RouteProbes } from '../../../../src/tox/net-crypto/path/route-probes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

/** Probes whose requests and answers consist of their echo. */
function probes(): RouteProbes {
  return new RouteProbes({
    random: new SeededRandom(1),
    buildProbe: (echo) => Buffer.from(String(echo)),
    readProbeAnswer: (packet) => ({ echo: BigInt(packet.toString()), cookie: packet }),
  });
}

t.test('an answer counts once, for the route on which the probe was sent', async (t) => {
  const all = probes();
  const request = all.next('a', 1000);
  t.notSame(all.next('b', 1000), request);
  t.equal(all.onAnswer('b', request, 1020), undefined);
  t.same(all.onAnswer('a', request, 1020), { rtt: 20, cookie: request });
  t.equal(all.onAnswer('a', request, 1030), undefined);
});

t.test('an answer to any open request is valid and measures the round trip of that request', async (t) => {
  const all = probes();
  const request = all.next('a', 1000);
  t.notSame(all.next('a', 1250), request);
  t.equal(all.unansweredSince('a'), 1000);
  t.equal(all.sentAt('a'), 1250);
  t.match(all.onAnswer('a', request, 1270), { rtt: 270 });
  t.equal(all.unansweredSince('a'), Number.POSITIVE_INFINITY);
  t.equal(all.sentAt('a'), 1250);
});

t.test('only the last unanswered requests are kept', async (t) => {
  const all = probes();
  const first = all.next('a', 0);
  const second = all.next('a', 1);
  for (let at = 2; at < 17; at += 1) all.next('a', at);
  t.equal(all.onAnswer('a', first, 20), undefined);
  t.match(all.onAnswer('a', second, 20), { rtt: 19 });
});

t.test('the probes of a route are forgotten with it', async (t) => {
  const all = probes();
  const request = all.next('a', 1000);
  all.forget('a');
  t.equal(all.onAnswer('a', request, 1020), undefined);
});
