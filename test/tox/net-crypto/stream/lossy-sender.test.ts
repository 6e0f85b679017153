import t from 'tap';
import { LossySender } from '../../../../src/tox/net-crypto/stream/lossy-sender.js';
import { payloadRate, StreamPair } from '../stream-pair.js';

function setUp() {
  const path = { isOpen: true, isBlocked: false, rate: 100 };
  const sent: number[] = [];
  const sender = new LossySender({
    emit: (data) => void sent.push(data[1] as number),
    isOpen: () => path.isOpen,
    isBlocked: () => path.isBlocked,
    rate: () => path.rate,
  });
  const send = (number: number, now: number, size = 1000): boolean =>
    sender.send(Buffer.alloc(size).fill(Buffer.from([213, number]), 0, 2), now);
  return { path, sent, sender, send };
}

t.test('a lossy packet is sent at once, and is lost without a session', async (t) => {
  const { path, sent, sender, send } = setUp();
  t.ok(send(1, 0));
  path.isOpen = false;
  t.notOk(send(2, 0));
  t.same(sent, [1]);
  t.equal(sender.dropped, 1);
});

t.test('lossy packets wait for a busy route in order, as many as fit', async (t) => {
  const { path, sent, sender, send } = setUp();
  path.isBlocked = true;
  let taken = 0;
  while (send(taken & 0xff, 0)) taken += 1;
  t.ok(taken >= 2 * 60 && taken <= 150, `${taken} packets of 1000 bytes`);
  t.same(sent, []);
  sender.pump(1);
  t.same(sent, [], 'still busy');
  path.isBlocked = false;
  t.notOk(send(200, 2), 'it would overtake those that wait');
  sender.pump(2);
  t.same(
    sent,
    Array.from({ length: taken }, (_, at) => at),
  );
  t.ok(send(201, 3));
  t.equal(sender.dropped, 2);
});

t.test('few of the smallest packets wait, too, and the fragments of two largest datagrams do', async (t) => {
  const countOf = (size: number): number => {
    const { path, send } = setUp();
    path.isBlocked = true;
    let taken = 0;
    while (send(1, 0, size)) taken += 1;
    return taken;
  };
  t.ok(countOf(4) < 3_000, `${countOf(4)} packets of 4 bytes`);
  for (const size of [500, 1373]) t.ok(countOf(size) >= 2 * Math.ceil(65_507 / (size - 8)), `${size}`);
});

t.test('a packet that has waited too long is lost', async (t) => {
  const { path, sent, sender, send } = setUp();
  path.isBlocked = true;
  send(1, 0);
  send(2, 200);
  path.isBlocked = false;
  sender.pump(260);
  t.same(sent, [2]);
  t.equal(sender.dropped, 1);
});

t.test('beside waiting lossless data they are paced at half of the rate, in bursts', async (t) => {
  const { sent, sender, send } = setUp();
  sender.noteContention(0);
  for (let number = 0; number < 100; number += 1) send(number, 0);
  t.ok(sent.length > 5 && sent.length < 15, `${sent.length} at once`);
  const before = sent.length;
  for (let now = 1; now <= 100; now += 1) {
    sender.noteContention(now);
    sender.pump(now);
  }
  const bytes = (sent.length - before) * 1055;
  t.ok(Math.abs(bytes - 5_000) <= 1500, `${bytes} bytes in 100 ms`);
});

t.test('without lossless data nothing is paced', async (t) => {
  const { sent, send } = setUp();
  for (let number = 0; number < 100; number += 1) send(number, 1000);
  t.equal(sent.length, 100);
});

t.test('a flood of lossy packets and a transfer share the path', async (t) => {
  for (const delay of [5, 30]) {
    const pair = new StreamPair({ rate: 50, delay, queue: 50 });
    const stop = pair.near.streamLossy(100);
    pair.clock.advance(500);
    pair.fill(1024 * 1024 * 1024);
    pair.clock.advance(15_000);
    const before = { lossless: pair.far.received, lossy: pair.far.receivedLossy };
    pair.clock.advance(5_000);
    stop();
    const whole = payloadRate(50) * 5_000;
    const lossless = (pair.far.received - before.lossless) / whole;
    const lossy = (pair.far.receivedLossy - before.lossy) / whole;
    t.comment(`${delay} ms: lossless ${lossless.toFixed(2)}, lossy ${lossy.toFixed(2)} of the path`);
    t.ok(lossless > 0.4, `${lossless}`);
    t.ok(lossy > 0.4, `${lossy}`);
    t.ok(lossless + lossy > 0.9, `${lossless + lossy}`);
    t.ok(pair.near.session.lossy.dropped > 0);
  }
});

t.test(
  'a stream below half of the path loses next to nothing beside a transfer, which gets the rest without a queue',
  async (t) => {
    for (const delay of [5, 30]) {
      const pair = new StreamPair({ rate: 50, delay, queue: 100 });
      pair.near.streamLossy(20);
      pair.clock.advance(1_000);
      pair.fill(1024 * 1024 * 1024);
      pair.clock.advance(5_000);
      const before = { lossless: pair.far.received, lossy: pair.far.receivedLossy };
      pair.out.waits.length = 0;
      pair.clock.advance(5_000);
      const lossy = (pair.far.receivedLossy - before.lossy) / (payloadRate(20) * 5_000);
      const lossless = (pair.far.received - before.lossless) / (payloadRate(30) * 5_000);
      const wait = pair.out.waits.sort((one, other) => one - other)[Math.floor(pair.out.waits.length / 2)] ?? Infinity;
      t.comment(`${delay} ms: lossy ${lossy.toFixed(3)} of what was sent, lossless ${lossless.toFixed(2)} of the rest`);
      t.ok(lossy > 0.98, `${lossy}`);
      t.ok(lossless > 0.9, `${lossless}`);
      t.ok(wait < 3, `${wait} ms in the queue, in the median`);
    }
  },
);

t.test('a transfer after a flood starts as fast as beside none', async (t) => {
  const pair = new StreamPair({ rate: 50, delay: 20, queue: 50 });
  const stop = pair.near.streamLossy(100);
  pair.clock.advance(2_000);
  stop();
  const alone = new StreamPair({ rate: 50, delay: 20, queue: 50 }).transfer(5_000_000, 20_000);
  const after = pair.transfer(5_000_000, 20_000);
  t.ok(after < 1.2 * alone, `${after} ms after ${alone} ms`);
});

t.test('a stream without lossless data goes on although nothing acknowledges it', async (t) => {
  const pair = new StreamPair({ delay: 30 });
  pair.near.streamLossy(400);
  pair.clock.advance(5_000);
  const share = pair.far.receivedLossy / (payloadRate(400) * 5_000);
  t.ok(share > 0.98, `${share}`);
});
