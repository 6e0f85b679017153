import t from 'tap';
import { PeerRates } from '../../../src/tunnel/server/peer-limits.js';
import { ManualClock } from '../../support/manual-clock.js';

const limits = (rate: number | undefined) => ({ rate, maxTunnels: undefined });

t.test('a client that comes back still owes what it has carried too much', (t) => {
  const clock = new ManualClock();
  const rates = new PeerRates(clock, () => limits(1000));
  clock.advance(1);
  const before = rates.of('peer').fromPeer;
  clock.advance(1);
  t.equal(before.police(60_000), true);
  rates.forget('peer');
  clock.advance(10_000);
  t.equal(rates.of('peer').fromPeer.police(1), false);
  clock.advance(50_001);
  t.equal(rates.of('peer').fromPeer.police(1), true);
  t.end();
});

t.test('one without a limit is forgotten', (t) => {
  const rates = new PeerRates(new ManualClock(), () => limits(undefined));
  const before = rates.of('peer');
  rates.forget('peer');
  t.not(rates.of('peer'), before);
  t.end();
});

t.test('one whose limit was lifted while it was away is forgotten later', (t) => {
  let rate: number | undefined = 1000;
  const rates = new PeerRates(new ManualClock(), () => limits(rate));
  const before = rates.of('peer');
  rates.forget('peer');
  rate = undefined;
  rates.update();
  t.equal(rates.of('peer').toPeer.isLimited, false);
  rates.forget('peer');
  t.not(rates.of('peer'), before);
  t.end();
});
