import t from 'tap';
import { UpstreamSilence } from '../../../src/tunnel/stream/idle-timeout.js';
import { ManualClock } from '../../support/manual-clock.js';

function start() {
  const clock = new ManualClock();
  const silences: number[] = [];
  const silence = new UpstreamSilence(clock, 1_000, () => silences.push(clock.now()));
  return { clock, silences, silence };
}

t.test('before it is waited for, silence means nothing', async (t) => {
  const { clock, silences, silence } = start();
  silence.heard();
  clock.advance(60_000);
  t.same(silences, []);
  t.equal(clock.pending, 0);
});

t.test('it counts from the moment in which it is waited for, or from the last data after that', async (t) => {
  const { clock, silences, silence } = start();
  clock.advance(5_000);
  silence.begin();
  clock.advance(600);
  silence.heard();
  clock.advance(900);
  silence.heard();
  clock.advance(999);
  t.same(silences, []);
  clock.advance(1);
  t.same(silences, [7_500]);
  clock.advance(60_000);
  t.same(silences, [7_500], 'once');
});

t.test('after stop it is no longer waited for', async (t) => {
  const { clock, silences, silence } = start();
  silence.begin();
  silence.stop();
  clock.advance(60_000);
  t.same(silences, []);
  t.equal(clock.pending, 0);
});
