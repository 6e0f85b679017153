import t from 'tap';
import { MemoryBudget, type MemoryShare } from '../../../../src/base/memory-budget.js';
import { Rtt } from '../../../../src/tox/net-crypto/congestion/rtt.js';
import { SendWindow } from '../../../../src/tox/net-crypto/stream/send-window.js';
import { Sender } from '../../../../src/tox/net-crypto/stream/sender.js';
import { encodePacketRequest } from '../../../../src/tox/packet/net-crypto-request.js';
import { numbered } from '../crypto-peers.js';

const MIB = 1024 * 1024;
const share = (): MemoryShare => new MemoryBudget({ total: 128 * MIB, floor: MIB / 4 }).share();

/** A sender whose congestion window and pacing rate the test sets. */
function makeSender(): {
  sender: Sender;
  readonly window: SendWindow;
  readonly rtt: Rtt;
  limits: { congestionWindow: number; pacingRate: number };
  transmitted: number[];
  /** ms by which the peer's data delayed each ack, as congestion control was told. */
  ackDelays: number[];
  advertisements: () => number;
  /** The state of the path. */
  readonly path: { isBlocked: boolean; pacesItself: boolean };
  readonly features: { isOurKind: boolean };
} {
  const ackDelays: number[] = [];
  const limits = {
    congestionWindow: 1_000_000,
    pacingRate: 10_000,
    measurement: 8,
    onAck: (_sample: unknown, _inFlight: number, _now: number, ackDelay = 0) => void ackDelays.push(ackDelay),
    onPathLost: () => {},
  };
  const transmitted: number[] = [];
  const path = { isBlocked: false, isBusy: (): boolean => path.isBlocked, pacesItself: false };
  const features = { isOurKind: false };
  let advertised = 0;
  const window = new SendWindow(share());
  const rtt = new Rtt();
  const sender = new Sender({
    window,
    congestion: limits,
    rtt,
    features,
    transmit: (number) => {
      transmitted.push(number);
      sender.onSealed();
    },
    packetSize: () => undefined,
    advertise: () => {
      advertised += 1;
    },
    path,
  });
  return { sender, window, rtt, limits, transmitted, ackDelays, advertisements: () => advertised, path, features };
}

const request = (start: number, end: number, missing: number[]): Buffer =>
  encodePacketRequest(start, end, (number) => missing.includes(number));

t.test('the sender sends no more than the congestion window and the pacing rate allow', async (t) => {
  const { sender, limits, transmitted } = makeSender();
  for (let at = 0; at < 40; at += 1) sender.enqueue(Buffer.alloc(1373, 162), false);
  limits.congestionWindow = 6 * 1428;
  limits.pacingRate = 1428;
  sender.pump(0);
  t.equal(transmitted.length, 6);
  limits.congestionWindow = 1_000_000;
  sender.pump(1);
  sender.pump(2);
  t.ok(transmitted.length <= 20, `${transmitted.length}`);
  t.ok(sender.wakeAt(2) <= 3);
});

t.test(
  'while the peer sends, only its request packets acknowledge, and its own queue counts as their delay',
  async (t) => {
    const { sender, window, ackDelays } = makeSender();
    const reply = (start: number, arrivedAt: number, isSending: boolean): Buffer =>
      encodePacketRequest(start, start, () => false, { time: arrivedAt * 1000, isSending });
    const send = (now: number): void => {
      sender.enqueue(Buffer.alloc(1373, 162), false);
      sender.pump(now);
    };
    // The clock of the peer is 5 s ahead, and packets arrive after 40 ms.
    send(0);
    sender.onAck(1, reply(1, 5040, false), 80);
    send(100);
    sender.onAck(2, reply(2, 5140, true), 330);
    t.same(ackDelays, [0, 150]);
    send(400);
    sender.onAck(3, undefined, 600);
    t.equal(window.start, 2);
    // This packet itself waited for 20 ms.
    sender.onAck(3, reply(3, 5460, true), 620);
    t.same(ackDelays.slice(2), [120]);
    send(700);
    sender.onAck(3, reply(3, 5460, false), 720);
    sender.onAck(4, undefined, 800);
    t.equal(window.start, 4);
    t.same(ackDelays.slice(3), [0]);
  },
);

t.test('the packet that the peer waits for is retransmitted although the window is full', async (t) => {
  const { sender, limits, transmitted } = makeSender();
  for (let at = 0; at < 30; at += 1) sender.enqueue(numbered(at), false);
  sender.pump(0);
  limits.congestionWindow = 0;
  sender.onAck(5, request(5, 30, [5]), 200);
  sender.pump(201);
  t.equal(transmitted.at(-1), 5);
  t.equal(transmitted.length, 31);
});

t.test('so are those behind it to a peer of our kind, although a much later one was reported first', async (t) => {
  const { sender, window, limits, transmitted, features } = makeSender();
  features.isOurKind = true;
  limits.congestionWindow = 0;
  for (let at = 0; at < 3000; at += 1) {
    window.push(numbered(at));
    window.onSent(at, 0);
  }
  for (const now of [200, 900]) {
    sender.onAck(0, request(0, 3000, [0, 100, 2500]), now);
    sender.pump(now);
  }
  t.same(transmitted, [0, 100, 0, 100]);
});

t.test('a burst is split across ticks, and the sender reports that it is behind', async (t) => {
  const { sender, transmitted, limits } = makeSender();
  limits.pacingRate = 1_000_000;
  for (let at = 0; at < 200; at += 1) sender.enqueue(numbered(at), false);
  sender.pump(0);
  t.equal(transmitted.length, 64);
  t.ok(sender.isBehind);
});

t.test('a silent peer gets one probe every 250 ms, with an advertisement of what was sent', async (t) => {
  const { sender, transmitted, advertisements, limits } = makeSender();
  limits.pacingRate = 1_000_000;
  while (sender.enqueue(Buffer.alloc(1373, 162), false));
  for (let now = 0; now <= 400; now += 1) sender.pump(now);
  transmitted.length = 0;
  const before = advertisements();
  for (let now = 401; now <= 10_400; now += 1) {
    sender.enqueue(Buffer.alloc(1373, 162), false);
    sender.pump(now);
  }
  t.ok(transmitted.length >= 35 && transmitted.length <= 41, `${transmitted.length} in 10 s`);
  t.ok(transmitted.every((number) => number === 0));
  t.equal(advertisements() - before, transmitted.length);
});

t.test('a peer of our kind is probed a round trip, its variation and its delay after the last packet', async (t) => {
  const probedAt = (isOurKind: boolean): number => {
    const { sender, rtt, features } = makeSender();
    features.isOurKind = isOurKind;
    for (let count = 0; count < 50; count += 1) rtt.add(300, 0);
    sender.enqueue(numbered(0), false);
    sender.pump(0);
    return sender.wakeAt(0);
  };
  t.ok(probedAt(true) > 315 && probedAt(true) < 320, `${probedAt(true)}`);
  t.ok(probedAt(false) > 615, 'another one after two round trips');
});

t.test(
  'sending stops after 16,384 unacknowledged transmissions, so that the peer keeps track of the nonce',
  async (t) => {
    const { sender, transmitted, limits } = makeSender();
    t.ok(sender.maySendLossy);
    sender.enqueue(numbered(0), false);
    sender.pump(0);
    for (let count = 0; count < 16_384; count += 1) sender.onSealed();
    t.notOk(sender.maySendLossy);
    limits.pacingRate = 1_000_000;
    transmitted.length = 0;
    sender.enqueue(numbered(1), false);
    sender.pump(1);
    t.equal(transmitted.length, 0);
    sender.onAck(1, undefined, 2);
    sender.pump(3);
    t.same(transmitted, [1]);
    t.ok(sender.maySendLossy);
  },
);

t.test('nothing is sent while the path has no room, and no wake-up is scheduled', async (t) => {
  const { sender, transmitted, path } = makeSender();
  path.isBlocked = true;
  for (let count = 0; count < 10; count += 1) sender.enqueue(Buffer.alloc(100, 0xa2), false);
  sender.pump(0);
  t.same(transmitted, []);
  t.notOk(sender.isBehind);
  t.equal(sender.wakeAt(0), Number.POSITIVE_INFINITY, 'until somebody says that there is room');
  path.isBlocked = false;
  sender.pump(1);
  t.equal(transmitted.length, 10);
});

t.test('a path that reports when it is full sets the pace itself', async (t) => {
  const paced = makeSender();
  const free = makeSender();
  free.path.pacesItself = true;
  for (const { sender } of [paced, free]) {
    for (let count = 0; count < 60; count += 1) sender.enqueue(Buffer.alloc(1000, 0xa2), true);
    sender.pump(0);
  }
  t.ok(paced.transmitted.length < 40, `${paced.transmitted.length} at once`);
  t.equal(free.transmitted.length, 60);
});

t.test('three unanswered probes make the path suspect, and any answer clears it', async (t) => {
  const { sender } = makeSender();
  sender.enqueue(numbered(0), false);
  sender.enqueue(numbered(1), false);
  sender.pump(0);
  let now = 0;
  for (let probe = 1; probe <= 3; probe += 1) {
    t.notOk(sender.isUnanswered);
    now = sender.wakeAt(now);
    sender.pump(now);
  }
  t.ok(sender.isUnanswered);
  sender.onAck(1, undefined, now + 1);
  t.notOk(sender.isUnanswered);
});

t.test('lists of missing packets are read at a limited rate', async (t) => {
  const { sender, window, limits, path } = makeSender();
  path.pacesItself = true;
  limits.congestionWindow = 100_000_000;
  limits.pacingRate = 100_000;
  for (let at = 0; at < 1000; at += 1) sender.enqueue(numbered(at), true);
  for (let turn = 0; turn < 20; turn += 1) sender.pump(0);
  const all = request(
    0,
    1000,
    Array.from({ length: 1000 }, (_, number) => number),
  );
  const inFlight = window.inFlightBytes;
  t.equal(window.next, 1000);
  for (let count = 0; count < 200; count += 1) sender.onAck(0, all, 1);
  const news = request(0, 1000, [0]);
  sender.onAck(0, news, 1);
  t.equal(window.inFlightBytes, inFlight, 'one too many');
  sender.onAck(0, news, 3);
  t.ok(window.inFlightBytes < inFlight, 'the next one says the same');
});

/** Sends a packet, which is acknowledged after a number of ms. @returns the time of the ack */
function confirmAfter({ sender, window }: ReturnType<typeof makeSender>, sentAt: number, wait: number): number {
  sender.enqueue(numbered(0), false);
  sender.pump(sentAt);
  sender.onAck(window.next, undefined, sentAt + wait);
  return sentAt + wait;
}

t.test('a packet sent before an outage and acknowledged after it is no round-trip sample', async (t) => {
  const one = makeSender();
  let now = 0;
  for (let count = 0; count < 20; count += 1) now = confirmAfter(one, now, 40);
  now = confirmAfter(one, now, 10_000);
  t.equal(one.rtt.recent, 40);
  now = confirmAfter(one, now, 50);
  t.equal(one.rtt.latest, 50);
});

t.test('the next packet sent before the end of the outage is no round-trip sample either', async (t) => {
  const one = makeSender();
  const { sender, rtt } = one;
  let now = 0;
  for (let count = 0; count < 20; count += 1) now = confirmAfter(one, now, 40);
  for (let count = 0; count < 2; count += 1) sender.enqueue(numbered(count), false);
  sender.pump(now);
  sender.onAck(21, undefined, now + 10_000);
  sender.onAck(22, undefined, now + 10_001);
  t.equal(rtt.recent, 40);
});

t.test('a path that has become longer is measured by the second packet delivered on it', async (t) => {
  const one = makeSender();
  let now = 0;
  for (let count = 0; count < 20; count += 1) now = confirmAfter(one, now, 40);
  now = confirmAfter(one, now, 2000);
  t.equal(one.rtt.latest, 40);
  confirmAfter(one, now, 2000);
  t.equal(one.rtt.latest, 2000);
});
