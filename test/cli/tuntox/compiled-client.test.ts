import t from 'tap';
import { CompiledClient } from '../../../src/cli/tuntox/compiled-client.js';
import { ManualClock } from '../../support/manual-clock.js';

function client() {
  const clock = new ManualClock();
  const kept: number[] = [];
  const compiled = new CompiledClient(clock, async () => void kept.push(clock.now()));
  return { clock, compiled, kept };
}

t.test('code is kept two seconds after the first server was reached', async (t) => {
  const { clock, compiled, kept } = client();
  const began = clock.now();
  for (const online of [Promise.resolve(), Promise.resolve()]) compiled.follow({ online });
  await Promise.resolve();
  clock.advance(5_000);
  t.same(kept, [began + 2_000]);
});

t.test('a shorter run keeps it at its end', async (t) => {
  const { clock, compiled, kept } = client();
  compiled.follow({ online: Promise.resolve() });
  await Promise.resolve();
  await compiled.end();
  clock.advance(5_000);
  t.equal(kept.length, 1);
});

t.test('a client that has not reached a server keeps nothing', async (t) => {
  const { compiled, kept } = client();
  compiled.follow({ online: new Promise(() => {}) });
  await compiled.end();
  t.same(kept, []);
});
