/** Networks of few on one machine with two addresses, whose members have just left, or are run again: a new client is admitted soon. Times are simulated. */
import t from 'tap';
import { visitsDuringChurn } from '../support/churn-network.js';
import { BUSY, newcomersAmongTheDead } from '../support/tiny-network.js';

/**
 * ms: twice what noticing the dead takes. With these seeds it took 12 to 48 s as long as paths went from wide addresses to
 * narrow ones, which hops refuse.
 */
const SOON = 6_000;
/** ms for which the node or the server is away, and for which a process is stopped, at most. */
const AWAY = 4_500;
const STOPPED = 10_000;

t.test('when the others have left, a new client is admitted within seconds', async (t) => {
  for (const seed of [57, 59]) {
    for (const took of await newcomersAmongTheDead({ hasNode: true, end: 'left' }, seed))
      t.ok(took < SOON, `seed ${seed}: ${took} ms`);
  }
});

t.test('when the others were killed as well', async (t) => {
  for (const took of await newcomersAmongTheDead({ hasNode: true, end: 'killed' }, 41)) t.ok(took < SOON, `${took} ms`);
});

t.test('and on a busy machine that loses datagrams, without a node', async (t) => {
  for (const seed of [1, 2, 3]) {
    const options = { hasNode: false, end: 'killed', load: BUSY, loss: 0.05 } as const;
    for (const took of await newcomersAmongTheDead(options, seed)) t.ok(took < SOON, `seed ${seed}: ${took} ms`);
  }
});

t.test('clients that start while the only node or the server is killed and run again are admitted', async (t) => {
  for (const victims of [['node'], ['server']] as const) {
    for (const took of await visitsDuringChurn({ victims }, 2)) t.ok(took < AWAY + SOON, `${victims}: ${took} ms`);
  }
});

t.test('and on a busy machine that loses datagrams', async (t) => {
  for (const took of await visitsDuringChurn({ victims: ['node', 'server'], load: BUSY, loss: 0.05 }, 3))
    t.ok(took < AWAY + SOON, `${took} ms`);
});

t.test('and while one of the processes is stopped for seconds', async (t) => {
  for (const took of await visitsDuringChurn({ victims: ['node'], stop: [1_000, 10_000] }, 1))
    t.ok(took < STOPPED + SOON, `${took} ms`);
});
