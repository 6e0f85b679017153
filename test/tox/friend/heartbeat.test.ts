import t from 'tap';
import { Heartbeat } from '../../../src/tox/friend/heartbeat.js';
import { ManualClock } from '../../support/manual-clock.js';

function start() {
  const clock = new ManualClock();
  const events: string[] = [];
  const connection = {
    lastReceivedAt: 0,
    sendLossless: (data: Buffer) => {
      events.push(`${data[0]}`);
      return true;
    },
  };
  const heartbeat = new Heartbeat({
    clock,
    connection,
    onHealthy: () => events.push('sound'),
    onSuspect: () => events.push('doubt'),
    onTimeout: () => events.push('death'),
  });
  return { clock, connection, heartbeat, taken: () => events.splice(0) };
}

t.test('an ALIVE packet is sent every 8 s', async (t) => {
  const { clock, connection, taken } = start();
  for (let second = 0; second < 24; second += 1) {
    connection.lastReceivedAt = clock.now();
    clock.advance(1_000);
  }
  t.same(taken(), ['16', 'sound', '16', 'sound', '16', 'sound']);
});

t.test('a friend is suspect after 4 s of silence, until its next packet', async (t) => {
  const { clock, connection, taken } = start();
  connection.lastReceivedAt = 3_999;
  clock.advance(8_000);
  t.same(taken(), ['16', 'doubt']);
  connection.lastReceivedAt = 12_000;
  clock.advance(8_000);
  t.same(taken(), ['16', 'sound']);
});

t.test('more than 32 s of silence are a timeout, reported once', async (t) => {
  const { clock, taken } = start();
  clock.advance(32_000);
  t.notOk(taken().includes('death'));
  clock.advance(60_000);
  t.same(taken(), ['death']);
  t.equal(clock.pending, 0);
});

t.test('after a disruption the friend has 2 s to answer', async (t) => {
  const { clock, connection, heartbeat, taken } = start();
  connection.lastReceivedAt = clock.now();
  heartbeat.check();
  t.same(taken(), ['16', 'sound']);
  clock.advance(1_999);
  t.same(taken(), []);
  clock.advance(1);
  t.same(taken(), ['doubt']);
});

t.test('a friend that answers in time is not suspect, and a second check starts the time again', async (t) => {
  const { clock, connection, heartbeat, taken } = start();
  heartbeat.check();
  clock.advance(1_500);
  heartbeat.check();
  taken();
  clock.advance(500);
  t.same(taken(), []);
  connection.lastReceivedAt = clock.now();
  clock.advance(1_500);
  t.same(taken(), []);
});

t.test('a friend that was silent for too long times out at the first check', async (t) => {
  const { clock, connection, heartbeat, taken } = start();
  connection.lastReceivedAt = -60_000;
  heartbeat.check();
  t.same(taken(), ['death']);
  clock.advance(60_000);
  t.same(taken(), []);
});

t.test('a stopped heartbeat sends and reports nothing', async (t) => {
  const { clock, heartbeat, taken } = start();
  heartbeat.check();
  taken();
  heartbeat.stop();
  clock.advance(60_000);
  t.same(taken(), []);
  t.equal(clock.pending, 0);
});
