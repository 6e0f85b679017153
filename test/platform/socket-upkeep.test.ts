import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import { type KeptPath, SocketUpkeep } from '../../src/platform/socket-upkeep.js';
import { ManualClock } from '../support/manual-clock.js';

function make(restore: KeptPath['restore']) {
  const clock = new ManualClock();
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const upkeep = new SocketUpkeep({ clock, log: { ...silentLogger, warn: say, error: say } }, [
    { path: '/s', restore },
  ]);
  return { clock, said, upkeep };
}

t.test('checks every 10 s and on request, and logs what it created again', async (t) => {
  let [looks, isGone] = [0, false];
  const { clock, said, upkeep } = make(() => {
    looks += 1;
    return isGone;
  });
  clock.advance(9_000);
  t.equal(looks, 0);
  clock.advance(1_000);
  await setImmediate();
  clock.advance(10_000);
  await setImmediate();
  t.equal(looks, 2);
  t.same(said, []);
  isGone = true;
  await upkeep.check();
  t.same(said, ['/s was deleted, and has been created again']);
  upkeep.stop();
  t.equal(clock.pending, 0);
});

t.test('what cannot be created again is logged once, until it could be', async (t) => {
  let outcome: 'fails' | 'made' | 'there' = 'fails';
  const { said, upkeep } = make(async () => {
    if (outcome === 'fails') throw new Error('no directory');
    return outcome === 'made';
  });
  for (const next of ['fails', 'fails', 'made', 'there', 'fails'] as const) {
    outcome = next;
    await upkeep.check();
  }
  upkeep.stop();
  t.match(said, [
    /cannot be created again: no directory; another try follows every 10 s/,
    /has been created again/,
    /cannot be created again/,
  ]);
  t.equal(said.length, 3);
});
