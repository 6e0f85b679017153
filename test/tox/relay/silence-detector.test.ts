import t from 'tap';
import { SilenceDetector } from '../../../src/tox/relay/silence-detector.js';
import { ManualClock } from '../../support/manual-clock.js';

function start() {
  const clock = new ManualClock();
  const told: string[] = [];
  const guard = new SilenceDetector({
    clock,
    ping: () => told.push('ping'),
    onSilence: () => {
      told.push('silence');
      guard.stop();
    },
  });
  const carry = (): void => {
    guard.heard();
    guard.carried();
  };
  return { clock, told, guard, carry };
}

t.test('a relay that carried packets and falls silent is asked, and then dead', async (t) => {
  const { clock, told, carry } = start();
  carry();
  clock.advance(3000);
  t.same(told, ['ping']);
  clock.advance(2000);
  t.same(told, ['ping', 'silence']);
  t.equal(clock.pending, 0);
});

t.test('one that answers is left in peace until it carries packets again', async (t) => {
  const { clock, told, guard, carry } = start();
  carry();
  clock.advance(3000);
  guard.heard();
  clock.advance(60_000);
  t.same(told, ['ping']);
  t.equal(clock.pending, 0);
  carry();
  clock.advance(3000);
  t.same(told, ['ping', 'ping']);
});

t.test('a peer that speaks once a second makes no questions', async (t) => {
  const { clock, told, carry } = start();
  for (let count = 0; count < 60; count += 1) {
    carry();
    clock.advance(1000);
  }
  t.same(told, []);
});

t.test('a relay that only stands by is not watched', async (t) => {
  const { clock, guard } = start();
  guard.heard();
  t.equal(clock.pending, 0);
});
