/**
 * A transfer goes on whatever becomes of its path: the peer moves between two networks, and their limits change. Each seed gives
 * another story, which ends with a calm path.
 */
import t from 'tap';
import { SeededRandom } from '../../../support/seeded-random.js';
import { type CryptoPeer, connectedPair, receiveInOrder } from '../crypto-peers.js';
import { Bottleneck } from '../links.js';

type Pair = ReturnType<typeof connectedPair>;

const SEEDS = 16;
/** Bytes of the IPv4 and UDP headers. */
const HEADERS = 28;
const ADDRESSES = ['203.0.113.2', '203.0.113.3'] as const;
/** Path MTUs, bytes of IPv4. */
const MTUS = [1500, 1492, 1480, 1460, 1428, 1420, 1400, 1340, 1280, 1200];
/** ms of calm until the rate is measured, and for how long. */
const CALM = 10_000;
const MEASURED = 4000;
/** The part of the link that the transfer must reach. */
const LEAST = 0.7;

/** The paths of the far peer, which lose large packets, each in both directions. */
class Paths {
  readonly #pair: Pair;
  readonly #random: SeededRandom;
  readonly #mtus: number[];
  #isOut = false;

  constructor(pair: Pair, random: SeededRandom, megabits: number) {
    this.#pair = pair;
    this.#random = random;
    this.#mtus = ADDRESSES.map(() => this.#anyMtu);
    for (const peer of [pair.alice, pair.bob]) {
      peer.shape = this.#shapeOf(new Bottleneck(pair.world.clock, { megabits, queueBytes: 20_000 * megabits }));
    }
  }

  get #anyMtu(): number {
    return MTUS[this.#random.below(MTUS.length)] as number;
  }

  get #inUse(): number {
    return this.#pair.bob.endpoint.address === ADDRESSES[1] ? 1 : 0;
  }

  #shapeOf(link: Bottleneck): CryptoPeer['shape'] {
    return (packet, forward) => {
      if (!this.#isOut && packet.length + HEADERS <= (this.#mtus[this.#inUse] as number)) link.shape(packet, forward);
    };
  }

  /** Something happens. @returns what */
  change(): string {
    const { world, bob, near } = this.#pair;
    const kind = this.#random.below(4);
    if (kind === 0) bob.move(ADDRESSES[1 - this.#inUse] as string);
    if (kind === 1 || kind === 2) this.#mtus[this.#inUse] = this.#anyMtu;
    if (kind === 2) {
      near.connection.removeRoute(bob.endpoint.key);
      near.connection.setEndpoint(bob.endpoint);
    }
    if (kind === 3) {
      this.#isOut = true;
      world.clock.advance(2000 * this.#random.fraction());
      this.#isOut = false;
    }
    return `${['move', 'limit', 'new route', 'outage'][kind]}, ${this.#mtus[this.#inUse]} bytes`;
  }
}

/** Sends packets of at most the size of the path. @param part of them that have this size @returns the bytes that have arrived */
function transfer({ near, far }: Pair, random: SeededRandom, part: number): () => number {
  let next = 0;
  const received = receiveInOrder(far.notes);
  const more = (): void => {
    for (;;) {
      const most = near.connection.packetSize;
      const data = Buffer.alloc(random.fraction() < part ? most : 600 + random.below(most - 600), 162);
      data.writeUInt32BE(next, 1);
      if (!near.connection.sendLossless(data)) return;
      next += 1;
    }
  };
  near.notes.onRoom = more;
  more();
  return received;
}

t.test('a transfer fills the path again after it has changed, and all data arrives in order', async (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const random = new SeededRandom(seed);
    const pair = connectedPair(seed);
    const { world, near } = pair;
    const megabits = 1 + 2 * random.fraction();
    Object.assign(world.network.faults, { delay: 80 * random.fraction() ** 2, jitter: 20 * random.fraction() ** 4 });
    const paths = new Paths(pair, random, megabits);
    const received = transfer(pair, random, random.fraction());
    const story: string[] = [];
    for (let count = random.below(7); count >= 0; count -= 1) {
      world.clock.advance(2500 * random.fraction());
      story.push(paths.change());
    }
    world.clock.advance(CALM);
    const before = received();
    world.clock.advance(MEASURED);
    const part = (received() - before) / ((megabits / 8) * 1000 * MEASURED);
    t.ok(
      part >= LEAST,
      `seed ${seed}: ${part.toFixed(2)} of the link, ${near.connection.packetSize} bytes; ${story.join(', ')}`,
    );
  }
});
