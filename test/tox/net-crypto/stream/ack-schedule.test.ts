import t from 'tap';
import { AckSchedule } from '../../../../src/tox/net-crypto/stream/ack-schedule.js';

t.test('the first request is due at once, and then one at each whole second keeps the session alive', async (t) => {
  const acks = new AckSchedule();
  t.ok(acks.dueAt(0, 50) <= 0);
  acks.onRequestSent(100);
  t.equal(acks.dueAt(0, 50), 1000);
  acks.onRequestSent(1002);
  t.equal(acks.dueAt(0, 50), 2000);
  acks.onRequestSent(2700);
  t.equal(acks.dueAt(0, 50), 4000, 'not two of them at almost the same time');
});

t.test("a following node answers the peer's request with its own if its last one is half a second old", async (t) => {
  const acks = new AckSchedule();
  acks.onRequestSent(100);
  acks.follow(599, 50);
  t.equal(acks.dueAt(0, 50), 1000, 'too early');
  acks.follow(601, 300);
  t.equal(acks.dueAt(0, 50), 1000, 'too far away');
  acks.follow(601, 50);
  t.ok(acks.dueAt(0, 50) <= 601);
  acks.onRequestSent(601);
  t.equal(acks.dueAt(0, 50), 2000, 'the next one of the peer, at 1600, comes before that');
  acks.follow(1600, 50);
  acks.onRequestSent(1600);
  acks.onRequestSent(2650);
  t.equal(acks.dueAt(0, 50), 3000, 'by itself it goes on at its own seconds');
});

t.test('one packet is acknowledged after 10 ms, 16 packets at once', async (t) => {
  const acks = new AckSchedule();
  acks.onRequestSent(0);
  acks.onReceived(20);
  t.equal(acks.dueAt(0, 50), 30);
  for (let count = 1; count < 16; count += 1) acks.onReceived(25);
  t.ok(acks.dueAt(0, 50) <= 25);
  acks.onRequestSent(25);
  t.equal(acks.dueAt(0, 50), 1000);
});

t.test('acks keep a pause between them, which reports of holes do not', async (t) => {
  const acks = new AckSchedule();
  acks.onRequestSent(20);
  for (let count = 0; count < 16; count += 1) acks.onReceived(25);
  t.equal(acks.dueAt(0, 80, 20), 40);
  acks.ackImmediately();
  t.ok(acks.dueAt(1, 80, 20) <= 25);
});

t.test('our data packets acknowledge as well, but cannot list missing packets', async (t) => {
  const acks = new AckSchedule();
  acks.onRequestSent(0);
  acks.onReceived(20);
  acks.onPiggybacked(false);
  t.equal(acks.dueAt(0, 50), 1000);
  acks.onReceived(30);
  acks.onPiggybacked(true);
  t.equal(acks.dueAt(3, 50), 40);
});

t.test('a new hole is reported at once, and an old one again after 1.2 round trips', async (t) => {
  const acks = new AckSchedule();
  acks.onRequestSent(0);
  acks.ackImmediately();
  t.ok(acks.dueAt(10, 50) <= 1);
  acks.onRequestSent(100);
  t.equal(acks.dueAt(10, 50), 160);
  t.equal(acks.dueAt(10, 1), 110, 'but not more often than each 10 ms');
});

t.test('long lists are sent less often', async (t) => {
  const acks = new AckSchedule();
  acks.onRequestSent(0);
  acks.ackImmediately();
  t.equal(acks.dueAt(16_000, 1), 16);
});
