import t from 'tap';
import { MemoryBudget } from '../../../../src/base/memory-budget.js';
import { PacketMemory } from '../../../../src/tox/net-crypto/stream/packet-memory.js';
import { Session } from '../../../../src/tox/net-crypto/stream/session.js';
import { CryptoKind } from '../../../../src/tox/packet/kind.js';
import { encodePacketRequest, isPacketRequest } from '../../../../src/tox/packet/net-crypto-request.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { SeededRandom } from '../../../support/seeded-random.js';
import { isInOrder, numbered } from '../crypto-peers.js';

interface Sent {
  readonly bufferStart: number;
  readonly packetNumber: number;
  readonly data: Buffer;
}

const budget = new MemoryBudget({ total: 128 * 1024 * 1024, floor: 256 * 1024 });

/** One end: a session driven by a clock, and the packets that it emitted and received. */
class End {
  readonly session: Session;
  readonly received: Buffer[] = [];
  readonly emitted: Sent[] = [];
  drains = 0;
  isBlocked = false;
  isAlone = false;
  /** Where emitted packets go. */
  carry: (packet: Sent) => void = () => {};
  readonly #clock: ManualClock;

  constructor(clock: ManualClock, firstNumber = 0, memory = budget) {
    this.#clock = clock;
    this.session = new Session(
      {
        memory: { received: memory.share(), sent: memory.share(), packets: new PacketMemory() },
        emit: (bufferStart, packetNumber, data) => {
          const packet = { bufferStart, packetNumber, data: Buffer.from(data) };
          this.emitted.push(packet);
          this.carry(packet);
        },
        handlers: {
          onLossless: (data) => this.received.push(data),
          onLossy: () => {},
          onDrain: () => {
            this.drains += 1;
          },
        },
        isOpen: () => true,
        isAlone: () => this.isAlone,
        packetSize: () => undefined,
        path: { isBusy: () => this.isBlocked, pacesItself: false },
      },
      { firstNumber },
    );
    clock.every(1, () => this.session.onTickEnd(clock.now()));
  }

  receive(packet: Sent): void {
    this.session.receive(packet, this.#clock.now());
  }
}

function pair(options: {
  firstNumber?: number;
  delay?: number;
  isLost?: (packet: Sent) => boolean;
  clock?: ManualClock;
  memory?: MemoryBudget;
}) {
  const { clock = new ManualClock(), memory } = options;
  const near = new End(clock, options.firstNumber, memory);
  const far = new End(clock, options.firstNumber, memory);
  const carryTo = (to: End) => (packet: Sent) => {
    if (!options.isLost?.(packet)) clock.after(options.delay ?? 10, () => to.receive(packet));
  };
  near.carry = carryTo(far);
  far.carry = carryTo(near);
  return { clock, near, far };
}

t.test('packets arrive across the wrap of their numbers, despite loss', async (t) => {
  const random = new SeededRandom(1);
  const { clock, near, far } = pair({ firstNumber: 0xffff_ff00, isLost: () => random.fraction() < 0.1 });
  for (let at = 0; at < 500; at += 1) near.session.sender.enqueue(numbered(at), false);
  t.ok(clock.runUntil(() => far.received.length === 500, 10_000));
  t.ok(isInOrder(far.received, 500));
});

t.test('the last packet is retransmitted when it is lost, though nothing follows it', async (t) => {
  let isFirst = true;
  const { clock, near, far } = pair({
    isLost: ({ data }) => {
      const isLost = data[0] === 162 && isFirst;
      if (isLost) isFirst = false;
      return isLost;
    },
  });
  near.session.sender.enqueue(numbered(0), false);
  t.ok(
    clock.runUntil(() => far.received.length === 1, 1000),
    'long before the request of each second',
  );
});

t.test('a hole is filled one and a half round trips after the packet was lost', async (t) => {
  const { clock, near, far } = pair({ delay: 50, isLost: lossOf(1) });
  for (let at = 0; at < 4; at += 1) near.session.sender.enqueue(numbered(at), false);
  t.ok(clock.runUntil(() => far.received.length === 4, 156));
  t.equal(near.session.sender.retransmissions, 1);
});

/** Loses the first copy of one packet. */
function lossOf(number: number): (packet: Sent) => boolean {
  let isFirst = true;
  return ({ data, packetNumber }) => {
    const isLost = data[0] === 162 && packetNumber === number && isFirst;
    if (isLost) isFirst = false;
    return isLost;
  };
}

t.test('a stale acknowledgement does not drop the data that came with it', async (t) => {
  const clock = new ManualClock();
  const end = new End(clock);
  for (let at = 0; at < 10; at += 1) end.session.sender.enqueue(numbered(at), false);
  clock.advance(5);
  end.receive({ bufferStart: 8, packetNumber: 0, data: numbered(0) });
  end.receive({ bufferStart: 3, packetNumber: 1, data: numbered(1) });
  end.receive({ bufferStart: 0x9000_0000, packetNumber: 2, data: numbered(2) });
  t.ok(isInOrder(end.received, 3));
});

t.test('a reordered list of holes is not applied to a newer window', async (t) => {
  const clock = new ManualClock();
  const end = new End(clock);
  for (let at = 0; at < 10; at += 1) end.session.sender.enqueue(numbered(at), false);
  clock.advance(5);
  end.receive({ bufferStart: 4, packetNumber: 0, data: Buffer.from([1]) });
  // Reports 0, 1 and 2 as received and 3 as missing; counted from 4 it would acknowledge 4 to 6, which have not arrived.
  end.receive({ bufferStart: 0, packetNumber: 0, data: encodePacketRequest(0, 10, (number) => number === 3) });
  clock.advance(2000);
  const again = new Set(end.emitted.slice(12).map(({ packetNumber }) => packetNumber));
  t.ok(again.has(4), 'it is still held, and sent to a silent peer');
});

t.test('a peer that never acknowledges gets the first packets and then probes', async (t) => {
  const clock = new ManualClock();
  const end = new End(clock);
  while (end.session.sender.enqueue(Buffer.alloc(1373, 162), false));
  clock.advance(60_000);
  const dataPackets = end.emitted.filter(({ data }) => data[0] === 162).length;
  t.ok(dataPackets > 30 && dataPackets < 400, `${dataPackets}`);
});

t.test('the queue is bounded in bytes, refuses data when full, and reports when it has room', async (t) => {
  const { clock, near, far } = pair({ delay: 20 });
  let taken = 0;
  while (near.session.sender.enqueue(Buffer.alloc(1373, 162), false)) taken += 1;
  t.ok(taken * 1373 <= 64 * 1024, `${taken}`);
  t.equal(near.drains, 0);
  t.ok(near.session.sender.enqueue(Buffer.from([16]), true), 'what is urgent has a reserve');
  clock.runUntil(() => near.drains > 0, 1000);
  t.equal(near.drains, 1);
  clock.advance(1000);
  t.equal(near.drains, 1, 'once for each refusal');
  t.equal(far.received.length, taken + 1);
});

t.test('small packets do not make the queue grow without bound', async (t) => {
  const end = new End(new ManualClock());
  let taken = 0;
  while (end.session.sender.enqueue(Buffer.from([162]), false)) taken += 1;
  t.ok(taken < 2000, `${taken}`);
});

t.test('hostile data and request packets do not affect later packets', async (t) => {
  const random = new SeededRandom(5);
  const { clock, near, far } = pair({ delay: 5 });
  for (let round = 0; round < 300; round += 1) {
    const data = random.bytes(1 + random.below(1373));
    // The peer may report anything about its own packets; acknowledging packets it did not receive would harm only itself.
    data[0] = [1, 3, 15, 255, 192][random.below(5)] as number;
    if (data[0] === 1) data.fill(1, 1);
    far.receive({ bufferStart: random.uint32() | 0x8000_0000, packetNumber: random.uint32(), data });
  }
  for (let at = 0; at < 500; at += 1) near.session.sender.enqueue(numbered(at), false);
  t.ok(clock.runUntil(() => far.received.length === 500, 5000));
  t.ok(isInOrder(far.received, 500));
});

t.test('a session keeps alive with one request a second', async (t) => {
  const { clock, near } = pair({});
  clock.advance(10_500);
  const requests = near.emitted.filter(({ data }) => data[0] !== CryptoKind.Features);
  t.ok(requests.length >= 10 && requests.length <= 12, `${requests.length}`);
  t.ok(requests.every(({ data }) => isPacketRequest(data)));
  t.ok(near.emitted.length - requests.length <= 3, 'and no word of our features once they are known');
});

t.test("a node with one peer sends its requests in reply to the peer's, and no more of them", async (t) => {
  const { clock, near, far } = pair({ delay: 10 });
  near.isAlone = true;
  // It starts at another moment than the far end, which sends at whole seconds.
  clock.advance(400);
  near.session.receiver.ackImmediately();
  clock.advance(10_000);
  near.emitted.length = 0;
  far.emitted.length = 0;
  const sentBy = (end: End): number => end.emitted.length;
  const followed: boolean[] = [];
  for (let second = 0; second < 20; second += 1) {
    const [ours, theirs] = [sentBy(near), sentBy(far)];
    t.ok(
      clock.runUntil(() => sentBy(far) > theirs, 1_500),
      'the far one goes on by itself',
    );
    clock.advance(12);
    followed.push(sentBy(near) === ours + 1);
  }
  t.ok(followed.every(Boolean), `${followed}`);
  t.ok(Math.abs(sentBy(near) - 20) <= 1 && Math.abs(sentBy(far) - 20) <= 1, `${sentBy(near)} and ${sentBy(far)}`);
});

t.test('two nodes with one lossy connection send about once a second and are never silent for long', async (t) => {
  const random = new SeededRandom(9);
  const { clock, near, far } = pair({ delay: 30, isLost: () => random.below(10) === 0 });
  near.isAlone = true;
  far.isAlone = true;
  clock.advance(300);
  near.session.receiver.ackImmediately();
  const sentAt: number[] = [];
  for (let at = clock.now(); at < 200_000; at = clock.now()) {
    const before = near.emitted.length;
    if (!clock.runUntil(() => near.emitted.length > before, 5_000)) break;
    sentAt.push(clock.now());
  }
  const gaps = sentAt.slice(1).map((at, index) => at - (sentAt[index] as number));
  t.ok(Math.max(...gaps) <= 2_100, `${Math.max(...gaps)} ms`);
  t.ok(near.emitted.length <= 260 && far.emitted.length <= 260, `${near.emitted.length} and ${far.emitted.length}`);
});

const losses: Record<string, (packet: Sent, isFromNear: boolean) => boolean> = {
  'all packets': () => true,
  'all packets in one direction': (_packet, isFromNear) => isFromNear,
  'the features in one direction': ({ data }, isFromNear) => isFromNear && data[0] === CryptoKind.Features,
};
for (const [what, isLost] of Object.entries(losses)) {
  t.test(`two peers of our kind know each other 2 s after ${what} were lost for 20 s`, async (t) => {
    let isOver = false;
    const { clock, near, far } = pair({ isLost: (packet) => !isOver && isLost(packet, near.emitted.includes(packet)) });
    clock.advance(20_000);
    t.notOk(near.session.features.isOurKind && far.session.features.isOurKind);
    isOver = true;
    clock.advance(2000);
    t.ok(near.session.features.isOurKind && far.session.features.isOurKind);
    const copies = () => [...near.emitted, ...far.emitted].filter(({ data }) => data[0] === CryptoKind.Features).length;
    const sent = copies();
    clock.advance(60_000);
    t.equal(copies(), sent, 'and send no features any more');
  });
}

t.test('two peers of our kind know each other soon after only their features were lost', async (t) => {
  let isOver = false;
  const { clock, near, far } = pair({ isLost: ({ data }) => !isOver && data[0] === CryptoKind.Features });
  clock.advance(20_000);
  isOver = true;
  t.ok(clock.runUntil(() => near.session.features.isOurKind && far.session.features.isOurKind, 20_000));
});

t.test('a hole that the peer leaves open for 60 s is reported, and one that it fills is not', async (t) => {
  const clock = new ManualClock();
  const end = new End(clock);
  const isStuckAfter = (ms: number): boolean => {
    for (let passed = 0; passed < ms; passed += 1000) {
      clock.advance(1000);
      if (end.session.receiver.isStuck(clock.now())) return true;
    }
    return false;
  };
  end.receive({ bufferStart: 0, packetNumber: 1, data: numbered(1) });
  end.receive({ bufferStart: 0, packetNumber: 3, data: numbered(3) });
  t.notOk(isStuckAfter(50_000));
  end.receive({ bufferStart: 0, packetNumber: 0, data: numbered(0) });
  t.notOk(isStuckAfter(58_000), 'the next hole has its own time');
  t.ok(isStuckAfter(5_000));
  end.receive({ bufferStart: 0, packetNumber: 2, data: numbered(2) });
  t.notOk(isStuckAfter(120_000));
});

t.test('many connections that share little memory all make progress despite loss and release it', async (t) => {
  const random = new SeededRandom(3);
  const clock = new ManualClock();
  const [total, floor] = [256 * 1024, 16 * 1024];
  const memory = new MemoryBudget({ total, floor });
  const pairs = Array.from({ length: 12 }, () => pair({ clock, memory, isLost: () => random.fraction() < 0.05 }));
  const sent = pairs.map(() => 0);
  let most = 0;
  const areDone = (): boolean => {
    most = Math.max(most, memory.used);
    for (const [index, { near }] of pairs.entries()) {
      while (
        (sent[index] as number) < 400 &&
        near.session.sender.enqueue(numbered(sent[index] as number, 1373), false)
      ) {
        sent[index] = (sent[index] as number) + 1;
      }
    }
    return pairs.every(({ far }) => far.received.length === 400);
  };
  t.ok(clock.runUntil(areDone, 120_000), 'all have all');
  for (const { far } of pairs) t.ok(isInOrder(far.received, 400, 1373));
  t.ok(most <= total + 2 * pairs.length * 2 * floor, `${most} bytes`);
  clock.advance(5_000);
  for (const { near, far } of pairs) for (const end of [near, far]) end.session.close();
  t.equal(memory.used, 0);
});
