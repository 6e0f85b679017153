import t from 'tap';
import { Liveness } from '../../../src/tox/relay/liveness.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

function start() {
  const clock = new ManualClock();
  const pings: bigint[] = [];
  const silences: string[] = [];
  const liveness = new Liveness({
    clock,
    random: new SeededRandom(1),
    sendPing: (id) => pings.push(id),
    onSilence: (reason) => {
      silences.push(reason);
      liveness.stop();
    },
  });
  const carry = (): void => {
    liveness.onReceived();
    liveness.onPeerPacket();
  };
  return { clock, pings, silences, liveness, carry };
}

t.test('the other end is pinged every 30 s, and is dead when it does not answer within 10 s', async (t) => {
  const { clock, pings, silences, liveness } = start();
  clock.advance(30_000);
  t.equal(pings.length, 1);
  liveness.onPong((pings[0] as bigint) + 1n);
  liveness.onPong(pings[0] as bigint);
  clock.advance(30_000);
  t.equal(pings.length, 2);
  liveness.onPong((pings[1] as bigint) + 1n);
  clock.advance(9_999);
  t.same(silences, []);
  clock.advance(1);
  t.same(silences, ['silent for 10 s'], 'a pong with another id is no answer');
  t.equal(clock.pending, 0);
});

t.test('any packet that opened is an answer', async (t) => {
  const { clock, silences, liveness } = start();
  liveness.ping();
  liveness.onReceived();
  clock.advance(29_000);
  t.same(silences, []);
});

t.test('after a disruption the answer must come within 3 s', async (t) => {
  const { clock, pings, silences, liveness } = start();
  liveness.ping();
  liveness.check();
  t.equal(pings.length, 2);
  clock.advance(3_000);
  t.equal(silences.length, 1);
});

t.test('a relay that carried packets and falls silent is pinged, and then dead', async (t) => {
  const { clock, pings, silences, carry } = start();
  carry();
  clock.advance(3000);
  t.equal(pings.length, 1);
  t.same(silences, []);
  clock.advance(2000);
  t.same(silences, ['silent while it carried packets']);
  t.equal(clock.pending, 0);
});

t.test('a relay that answers is not pinged again until it carries packets', async (t) => {
  const { clock, pings, silences, liveness, carry } = start();
  carry();
  clock.advance(3000);
  liveness.onPong(pings[0] as bigint);
  clock.advance(20_000);
  t.equal(pings.length, 1);
  carry();
  clock.advance(3000);
  t.equal(pings.length, 2);
  t.same(silences, []);
});

t.test('a relay that carries packets once a second is not pinged', async (t) => {
  const { clock, pings, carry } = start();
  for (let count = 0; count < 29; count += 1) {
    carry();
    clock.advance(1000);
  }
  t.same(pings, []);
});

t.test('an idle relay is not watched', async (t) => {
  const { clock, liveness } = start();
  const idle = clock.pending;
  liveness.onReceived();
  t.equal(clock.pending, idle);
});
