import t from 'tap';
import { judgeLosses, type LossContext } from '../../../../src/tox/net-crypto/congestion/loss-signals.js';

const PATH: LossContext = {
  mode: 'probe-up',
  isPolled: false,
  isRaised: false,
  hasCompetitor: false,
  startupEndedAt: 1000,
};
const lost = (lostPackets: number, loss: number, lastLostSentAt = 2000) => ({ lostPackets, loss, lastLostSentAt });

t.test('random losses indicate nothing while the round trip is not raised', async (t) => {
  t.match(judgeLosses(lost(10, 0.05), PATH), { isLossy: true, isHeavy: false, isOverflow: false, isShortTerm: false });
});

t.test('losses with a raised round trip indicate an overflow, by a probe or until the next one', async (t) => {
  const path = { ...PATH, isRaised: true };
  t.match(judgeLosses(lost(10, 0.05), path), { isOverflow: true, isShortTerm: false });
  t.match(judgeLosses(lost(10, 0.05), { ...path, mode: 'cruise' }), { isOverflow: false, isShortTerm: true });
  t.match(judgeLosses(lost(5, 0.05), path), { isLossy: false, isOverflow: false });
  t.notOk(judgeLosses(lost(10, 0.05), { ...path, hasCompetitor: true }).isOverflow);
});

t.test('heavy losses indicate a policer, unless Startup sent the packets', async (t) => {
  t.match(judgeLosses(lost(16, 0.3), PATH), { isHeavy: true, isOverflow: true });
  t.notOk(judgeLosses(lost(16, 0.3, 900), PATH).isHeavy);
  t.notOk(judgeLosses(lost(16, 0.3), { ...PATH, mode: 'startup', isRaised: true }).isHeavy);
});

t.test('the socket of a polled peer overflows without a raised round trip', async (t) => {
  const path = { ...PATH, isPolled: true };
  t.match(judgeLosses(lost(8, 0.11), path), { isHeavy: false, isOverflow: true, isShortTerm: false });
  t.notOk(judgeLosses(lost(8, 0.09), path).isOverflow);
});
