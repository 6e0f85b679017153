import t from 'tap';
import { MemoryBudget, type MemoryShare } from '../../../../src/base/memory-budget.js';
import type { ReorderingWindow } from '../../../../src/tox/net-crypto/stream/loss-detection.js';
import { SendWindow } from '../../../../src/tox/net-crypto/stream/send-window.js';
import { CryptoKind } from '../../../../src/tox/packet/kind.js';
import { WIRE_OVERHEAD } from '../../../../src/tox/packet/net-crypto.js';
import { encodePacketRequest } from '../../../../src/tox/packet/net-crypto-request.js';
import { numbered } from '../crypto-peers.js';

const MIB = 1024 * 1024;
const share = (): MemoryShare => new MemoryBudget({ total: 128 * MIB, floor: MIB / 4 }).share();

function sentWindow(count: number, first = 0): SendWindow {
  const window = new SendWindow(share(), first);
  for (let at = 0; at < count; at += 1) {
    window.push(numbered(at));
    window.onSent((first + at) >>> 0, at);
  }
  return window;
}

/** @param rtt ms @param longest ms */
const reorderingWindow = (rtt: number, longest: number): ReorderingWindow => ({ rtt, longest, reordering: 0 });

const request = (start: number, end: number, missing: number[]): Buffer =>
  encodePacketRequest(start, end, (number) => missing.includes(number));

t.test('numbers count up from 0, and bytes are counted as unsent, in flight and acknowledged', async (t) => {
  const window = new SendWindow(share());
  window.push(Buffer.alloc(100, 162));
  window.push(Buffer.alloc(50, 162));
  t.equal(window.unsentBytes, 150 + 2 * WIRE_OVERHEAD);
  window.onSent(0, 10);
  t.equal(window.next, 1);
  t.equal(window.inFlightBytes, 100 + WIRE_OVERHEAD);
  t.equal(window.unsentBytes, 50 + WIRE_OVERHEAD);
  const sample = window.beginAck(20, 8, 0);
  window.acknowledge(1);
  t.equal(sample.ackedBytes, 100 + WIRE_OVERHEAD);
  t.equal(sample.sentAt, 10);
  t.equal(window.inFlightBytes, 0);
  t.notOk(window.hasUnacked);
});

/** The list of a peer of our kind. */
const whole = (start: number, end: number, missing: number[]): Buffer =>
  encodePacketRequest(start, end, (number) => missing.includes(number), CryptoKind.RequestWithEnd);

t.test('no measurement begins while a list is cut off, which leaves out packets that arrived', async (t) => {
  for (const [missing, start] of [
    [1500, 0],
    [100, 4001],
  ] as const) {
    const window = sentWindow(3000);
    const odd = Array.from({ length: missing }, (_, at) => 2 * at + 1);
    window.beginAck(4000, 0, 0);
    window.readRequest(whole(0, 3000, odd), reorderingWindow(100, 100));
    window.push(numbered(3000));
    window.onSent(3000, 4001);
    const sample = window.beginAck(4100, 0, 0);
    window.readRequest(whole(0, 3001, [1]), reorderingWindow(100, 100));
    t.equal(sample.number, 3000);
    t.equal(sample.priorDeliveredAt, start, `${missing} packets are missing`);
  }
});

t.test('acknowledgements of unsent or already acknowledged packets are ignored', async (t) => {
  const window = sentWindow(10);
  window.push(numbered(10));
  window.beginAck(20, 8, 0);
  window.acknowledge(11);
  t.equal(window.start, 0, '11 would confirm a packet that waits');
  window.acknowledge(5);
  window.acknowledge(3);
  window.acknowledge(0x8000_0000);
  t.equal(window.start, 5);
});

t.test('the first undelivered packet is found across the wrap of numbers, whatever arrives in between', async (t) => {
  const first = 0xffff_fff8;
  const number = (offset: number): number => (first + offset) >>> 0;
  const window = sentWindow(20, first);
  t.equal(window.firstUndelivered(), first);
  window.beginAck(1000, 8, 0);
  window.readRequest(request(first, number(20), [number(0), number(15)]), reorderingWindow(100, 100));
  t.equal(window.firstUndelivered(), first);
  window.acknowledge(number(1));
  t.equal(window.firstUndelivered(), number(15));
  window.acknowledge(number(12));
  t.equal(window.firstUndelivered(), number(15));
  window.acknowledge(number(20));
  t.equal(window.firstUndelivered(), undefined);
  window.push(numbered(20));
  window.onSent(number(20), 2000);
  t.equal(window.firstUndelivered(), number(20));
});

t.test('a request releases the packets it acknowledges and marks the ones it lists as missing', async (t) => {
  const window = sentWindow(10);
  const sample = window.beginAck(1000, 8, 0);
  window.readRequest(request(0, 10, [2, 7]), reorderingWindow(100, 100));
  t.equal(sample.lostPackets, 2);
  t.equal(window.nextLost(), 2);
  window.onSent(2, 1000);
  t.equal(window.nextLost(), 7);
  window.onSent(7, 1000);
  t.equal(window.nextLost(), undefined);
});

t.test('a recently sent packet is not declared lost because of a report that may be older', async (t) => {
  const window = sentWindow(3);
  window.beginAck(50, 8, 0);
  window.readRequest(request(0, 3, [1]), reorderingWindow(100, 100));
  t.equal(window.nextLost(), undefined);
  window.beginAck(101, 8, 0);
  window.readRequest(request(0, 3, [1]), reorderingWindow(100, 100));
  t.equal(window.nextLost(), 1);
  window.onSent(1, 101);
  window.beginAck(250, 8, 0);
  window.readRequest(request(0, 3, [1]), reorderingWindow(100, 200));
  t.equal(window.nextLost(), undefined, 'sent again, it is given longer');
});

t.test('a packet declared lost that arrives after all is not retransmitted', async (t) => {
  const window = sentWindow(5);
  window.beginAck(1000, 8, 0);
  window.readRequest(request(0, 5, [0, 3]), reorderingWindow(1, 1));
  window.beginAck(1001, 8, 0);
  window.acknowledge(4);
  t.equal(window.nextLost(), undefined);
});

t.test('at most 16,384 numbers are in flight, and 32,768 are held', async (t) => {
  const window = new SendWindow(share());
  while (!window.isFull) window.push(numbered(1));
  t.throws(() => window.push(numbered(1)), RangeError);
  let sent = 0;
  while (window.mayAdvance) {
    window.onSent(window.next, 0);
    sent += 1;
  }
  t.equal(sent, 16_384);
  t.equal(window.unsentBytes, 16_384 * (64 + WIRE_OVERHEAD));
});

t.test('the window works across the wrap of numbers while the ring grows', async (t) => {
  const first = 0xffff_ffa0;
  const window = sentWindow(300, first);
  t.equal(window.next, (first + 300) >>> 0);
  window.beginAck(1000, 8, 0);
  window.readRequest(request(first, (first + 300) >>> 0, [(first + 200) >>> 0]), reorderingWindow(1, 1));
  t.equal(window.nextLost(), (first + 200) >>> 0);
  t.same(window.dataOf((first + 200) >>> 0), numbered(200));
  window.acknowledge((first + 300) >>> 0);
  t.equal(window.inFlightBytes, 0);
  t.notOk(window.hasUnacked);
});

t.test('the delivery rate is the bytes delivered over the time they took', async (t) => {
  const window = new SendWindow(share());
  const size = 64 + WIRE_OVERHEAD;
  // 1 packet per ms over a path of 50 ms, each acknowledged singly.
  let rate: number | undefined;
  for (let now = 0; now < 300; now += 1) {
    window.push(numbered(now));
    window.onSent(now, now);
    if (now < 50) continue;
    const sample = window.beginAck(now, 8, 0);
    window.acknowledge(now - 50 + 1);
    rate = sample.deliveryRate(now, 50);
  }
  t.ok(Math.abs((rate as number) / size - 1) < 0.02, `${rate}`);
});

t.test('memory of unacknowledged packets is counted, and released on acknowledgement or close', async (t) => {
  const budget = new MemoryBudget({ total: 8 * MIB, floor: MIB / 4 });
  const [idle, busy] = [new SendWindow(budget.share()), new SendWindow(budget.share())];
  while (idle.hasMemory) idle.push(numbered(0));
  t.ok(budget.used > 3.9 * MIB && budget.used <= 4 * MIB, `${budget.used} bytes`);
  for (let number = 0; busy.hasMemory; number += 1) {
    busy.push(numbered(number));
    busy.onSent(number, 0);
  }
  t.ok(budget.used <= 6 * MIB + 1780, 'another may hold half of what is left');
  busy.beginAck(10, 8, 0);
  busy.acknowledge(busy.next);
  idle.close();
  t.equal(budget.used, 0);
});

t.test('the ring shrinks with its content and loses nothing', async (t) => {
  const window = new SendWindow(share(), 0xffff_f000);
  const count = 16_000;
  for (let at = 0; at < count; at += 1) {
    window.push(numbered(at));
    window.onSent(window.next, 0);
  }
  window.beginAck(10, 8, 0);
  window.acknowledge((0xffff_f000 + count - 5) >>> 0);
  for (let at = count - 5; at < count; at += 1) {
    t.same(window.dataOf((0xffff_f000 + at) >>> 0), numbered(at));
  }
});

t.test('the first lost packet is found though the list begins with a much later one', async (t) => {
  const window = sentWindow(200);
  window.beginAck(1000, 8, 0);
  window.readRequest(request(0, 200, [3, 150]), reorderingWindow(1, 1));
  window.onSent(3, 1000);
  t.equal(window.nextLost(), 150);
  window.beginAck(2000, 8, 0);
  window.readRequest(request(0, 200, [3, 150]), reorderingWindow(1, 1));
  t.equal(window.nextLost(), 150, 'still before the other one, which was reported later');
  t.equal(window.firstLost(64), 3);
});

t.test('a packet that may be reordered is awaited, and declared lost when the reordering window ends', async (t) => {
  const window = sentWindow(3);
  const tolerant: ReorderingWindow = { rtt: 100, longest: 150, reordering: 25 };
  let sample = window.beginAck(102, 8, 80);
  window.readRequest(request(0, 3, [1]), tolerant);
  t.equal(sample.lostPackets, 0);
  t.equal(window.lossDueAt, 126, 'sent at 1');
  sample = window.beginAck(126, 8, 80);
  window.detectLost();
  t.equal(sample.lostPackets, 1);
  t.equal(window.nextLost(), 1);
  t.equal(window.lossDueAt, Number.POSITIVE_INFINITY);
});

t.test('a copy acknowledged sooner than a round trip indicates reordering', async (t) => {
  const window = sentWindow(3);
  window.beginAck(100, 8, 80);
  window.readRequest(request(0, 3, [1]), reorderingWindow(90, 100));
  window.onSent(1, 100);
  const sample = window.beginAck(110, 8, 80);
  window.acknowledge(3);
  t.equal(sample.reorderedPackets, 1);
});

t.test('the sample states when the latest lost packet was sent, whatever its size', async (t) => {
  const window = sentWindow(5);
  const sample = window.beginAck(1000, 8, 0);
  window.readRequest(request(0, 5, [1, 3]), reorderingWindow(1, 1));
  t.equal(sample.lostPackets, 2);
  t.equal(sample.lostSentAt, 3);
  t.equal(sample.large.lostSentAt, Number.NEGATIVE_INFINITY);
});

t.test('packets sent while app-limited do not limit the delivery rate', async (t) => {
  const window = sentWindow(2);
  window.markAppLimited();
  window.push(numbered(2));
  window.onSent(2, 10);
  let sample = window.beginAck(50, 8, 0);
  window.acknowledge(2);
  t.notOk(sample.isAppLimited, 'those before were not');
  sample = window.beginAck(60, 8, 0);
  window.acknowledge(3);
  t.ok(sample.isAppLimited);
  window.push(numbered(3));
  window.onSent(3, 70);
  sample = window.beginAck(80, 8, 0);
  window.acknowledge(4);
  t.notOk(sample.isAppLimited, 'all that was in flight then has been delivered');
});

t.test('a packet stays as it was taken, and its memory is used again once it has arrived', async (t) => {
  const window = new SendWindow(share());
  const data = numbered(1);
  window.push(data);
  data.fill(0);
  t.same(window.dataOf(0), numbered(1));
  const { buffer } = window.dataOf(0);
  window.onSent(0, 0);
  window.beginAck(1, 0, 0);
  window.acknowledge(1);
  window.push(Buffer.alloc(1373, 162));
  t.equal(window.dataOf(1).buffer, buffer);
  t.same(window.dataOf(1), Buffer.alloc(1373, 162), 'also for a longer packet');
});
