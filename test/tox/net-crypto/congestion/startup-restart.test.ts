import t from 'tap';
import { StartupRestart } from '../../../../src/tox/net-crypto/congestion/startup-restart.js';

/** Startup ended at 1000 bytes per ms, and a heavy loss came at 0 ms if wanted. */
function ended({ heavyLoss }: { readonly heavyLoss: boolean }): StartupRestart {
  const restart = new StartupRestart();
  restart.onStartupEnded(1000);
  if (heavyLoss) restart.onHeavyLoss(0);
  return restart;
}

t.test('a probe that grew by nearly a quarter leads back to Startup', async (t) => {
  const restart = ended({ heavyLoss: false });
  restart.onProbe(1000);
  t.notOk(restart.isDue(1200, 100));
  t.ok(restart.isDue(1201, 100));
});

t.test('within 10 s of a heavy loss it takes three probes in a row that grew', async (t) => {
  const restart = ended({ heavyLoss: true });
  for (const rate of [1000, 1240]) {
    restart.onProbe(rate);
    t.notOk(restart.isDue(1.24 * rate, 100));
  }
  restart.onProbe(1540);
  t.ok(restart.isDue(1900, 100));
});

t.test('a probe that did not grow, another heavy loss, or the end of Startup begins the row again', async (t) => {
  const breaks = [
    (restart: StartupRestart) => restart.onProbe(1300),
    (restart: StartupRestart) => restart.onHeavyLoss(100),
    (restart: StartupRestart) => restart.onStartupEnded(1300),
  ];
  for (const interrupt of breaks) {
    const restart = ended({ heavyLoss: true });
    restart.onProbe(1000);
    restart.onProbe(1240);
    interrupt(restart);
    restart.onProbe(1540);
    t.notOk(restart.isDue(1900, 200));
  }
});

t.test('10 s after a heavy loss one probe is enough', async (t) => {
  const restart = ended({ heavyLoss: true });
  restart.onProbe(1000);
  t.notOk(restart.isDue(1240, 9999));
  t.ok(restart.isDue(1240, 10_000));
});
