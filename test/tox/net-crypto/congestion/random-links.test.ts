/**
 * Whatever the path does to packets, all data arrives in order and in time: transfers over random links, whose properties come from
 * a seed. A stalled transfer is found here first.
 */
import t from 'tap';
import { SeededRandom } from '../../../support/seeded-random.js';
import { type CryptoPeer, connectedPair, type Notes, receiveInOrder, strangePair } from '../crypto-peers.js';

type Pair = ReturnType<typeof connectedPair>;
type End = Pair['near'];

/** Links for each kind. */
const SEEDS = 150;
/** Bytes of the IPv4 and UDP headers. */
const HEADERS = 28;
/** Path MTUs, bytes of IPv4. */
const MTUS = [1500, 1480, 1428, 1400, 1300, 1280, 1200];
/** ms; of 8,000 such transfers the slowest took 127 s. */
const LIMIT = 180_000;

/** One direction of a path, whose MTU and outages change while it is in use. */
class RandomLink {
  readonly #pair: Pair;
  readonly #random: SeededRandom;
  readonly #bytesPerMs: number;
  readonly #delay: number;
  readonly #jitter: number;
  readonly #loss: number;
  readonly #duplicates: number;
  readonly #queue: number;
  /** ms between two reads of the receiver's socket; 0 for at once. */
  readonly #poll: number;
  #mtu: number;
  #freeAt = 0;
  #isOut = false;

  constructor(pair: Pair, random: SeededRandom) {
    this.#pair = pair;
    this.#random = random;
    this.#bytesPerMs = 31 * 400 ** random.fraction();
    this.#delay = 0.2 * 1500 ** random.fraction();
    this.#jitter = this.#sometimes(0.5) * 2 * this.#delay;
    this.#loss = this.#sometimes(0.6) * 0.2;
    this.#duplicates = this.#sometimes(0.3) * 0.5;
    this.#queue = 10 + 1000 * random.fraction() * random.fraction();
    this.#poll = random.fraction() < 0.25 ? 50 : 0;
    this.#mtu = this.#anyMtu;
  }

  /** 0, or else a fraction. */
  #sometimes(chance: number): number {
    return this.#random.fraction() < chance ? this.#random.fraction() : 0;
  }

  get #anyMtu(): number {
    return MTUS[this.#random.below(MTUS.length)] as number;
  }

  /** Changes the path at a random time, in some cases after an outage. @param span ms */
  changeWithin(span: number): void {
    const { clock } = this.#pair.world;
    const outage = this.#sometimes(0.2) * 4000;
    clock.after(this.#random.fraction() * span, () => {
      this.#isOut = outage > 0;
      this.#mtu = this.#anyMtu;
      clock.after(outage, () => {
        this.#isOut = false;
      });
    });
  }

  readonly shape: CryptoPeer['shape'] = (packet, forward) => {
    const { clock } = this.#pair.world;
    const now = clock.now();
    const size = packet.length + HEADERS;
    const wait = Math.max(0, this.#freeAt - now);
    if (this.#isOut || size > this.#mtu || wait > this.#queue) return;
    this.#freeAt = now + wait + size / this.#bytesPerMs;
    if (this.#random.fraction() < this.#loss) return;
    const copies = this.#random.fraction() < this.#duplicates ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const arrival = this.#freeAt + this.#delay + this.#jitter * this.#random.fraction();
      const readAt = this.#poll === 0 ? arrival : Math.ceil(arrival / this.#poll) * this.#poll;
      clock.after(readAt - now, forward);
    }
  };
}

/** Sends this many bytes in packets of the connection's packet size, and some small ones. @returns whether all have arrived */
function transfer(from: End, to: { readonly notes: Notes }, bytes: number, random: SeededRandom): () => boolean {
  let [sent, next] = [0, 0];
  const received = receiveInOrder(to.notes);
  const more = (): void => {
    while (sent < bytes) {
      const data = Buffer.alloc(random.fraction() < 0.05 ? 20 : from.connection.packetSize, 162);
      data.writeUInt32BE(next, 1);
      if (!from.connection.sendLossless(data)) return;
      next += 1;
      sent += data.length;
    }
  };
  from.notes.onRoom = more;
  more();
  return () => sent >= bytes && received() >= sent;
}

for (const [kind, pairOf] of [
  ['our', connectedPair],
  ['another', strangePair],
] as const) {
  t.test(`a transfer to a peer of ${kind} kind completes, whatever the path does`, async (t) => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = new SeededRandom(seed);
      const pair = pairOf(seed);
      const { world, near, far } = pair;
      world.network.faults.delay = 0;
      const bytes = 20_000 + random.below(500_000);
      for (const peer of [pair.alice, pair.bob]) {
        const link = new RandomLink(pair, random);
        peer.shape = link.shape;
        for (let count = random.below(3); count > 0; count -= 1) link.changeWithin(20 * Math.sqrt(bytes));
      }
      const areDone = [transfer(near, far, bytes, random), transfer(far, near, bytes, random)];
      const isDone = (): boolean => areDone.every((isOneDone) => isOneDone());
      // A peer of another kind reads no halves, so the connection is replaced when the path no longer passes its packets.
      const isGivenUp = (): boolean =>
        kind === 'another' && [near, far].some(({ notes }) => notes.events.at(-1) === 'closed: too large');
      if (!world.clock.runUntil(() => isDone() || isGivenUp(), LIMIT)) t.fail(`with seed ${seed} it does not end`);
    }
    t.pass();
  });
}
