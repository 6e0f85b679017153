import t from 'tap';
import { STARTUP_GAIN, Startup } from '../../../../src/tox/net-crypto/congestion/startup.js';

const CLEAR = { isAppLimited: false, isRaised: false };

t.test('the path is full after three rounds that grow by less than a quarter', async (t) => {
  const startup = new Startup();
  t.same(
    [100, 130, 140, 150, 160].map((rate) => startup.endRound(rate, CLEAR)),
    [false, false, false, false, true],
  );
  startup.restart(160);
  t.notOk(startup.endRound(170, CLEAR));
});

t.test('two such rounds are enough if the round trip is raised', async (t) => {
  const startup = new Startup();
  t.same(
    [100, 110, 120].map((rate) => startup.endRound(rate, { ...CLEAR, isRaised: true })),
    [false, false, true],
  );
});

t.test('rounds without enough data to send do not count', async (t) => {
  const startup = new Startup();
  const rates = [100, 100, 100, 100, 100];
  t.notOk(rates.some((rate) => startup.endRound(rate, { isAppLimited: true, isRaised: false })));
});

t.test('the rate grows faster until a round trip is raised, and slowly while it is', async (t) => {
  const startup = new Startup();
  t.same([startup.pacingGain, startup.windowGain], [4, 4]);
  startup.onRoundTrip(true);
  t.same([startup.pacingGain, startup.windowGain], [1.5, STARTUP_GAIN]);
  startup.onRoundTrip(false);
  t.same([startup.pacingGain, startup.windowGain], [STARTUP_GAIN, STARTUP_GAIN]);
});

t.test('a Startup that begins again grows as in BBR', async (t) => {
  const startup = new Startup();
  startup.restart(100);
  t.equal(startup.pacingGain, STARTUP_GAIN);
});
