/**
 * An internet in one process: hosts with one address each, datagrams that take time, get lost, doubled or reordered, all
 * repeatable from a seed. There are no NATs here; the lab in test/lab has those.
 */
import type { Clock } from '../../src/base/clock.js';
import { Endpoint } from '../../src/base/endpoint.js';
import type { DatagramHandler, DatagramSocket } from '../../src/tox/network/datagram-socket.js';
import type { SeededRandom } from './seeded-random.js';

export interface LinkFaults {
  /** One-way delay, ms. */
  delay: number;
  /** Up to so many ms more, drawn for each datagram: reorders. */
  jitter: number;
  /** Fraction of datagrams lost, 0 to 1. */
  loss: number;
  /** Fraction of datagrams delivered twice. */
  duplicate: number;
  /** Bytes of IPv4, headers included, above which a datagram is lost without a word. */
  mtu: number;
}

const PERFECT: LinkFaults = { delay: 1, jitter: 0, loss: 0, duplicate: 0, mtu: 1500 };
/** What IPv4 and UDP add. */
const HEADERS = 28;

export class SimulatedNetwork {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #sockets = new Map<string, DatagramHandler>();
  /** Faults of every path; change the fields at will while it runs. */
  readonly faults: LinkFaults = { ...PERFECT };
  /** Endpoints (or bare addresses) that neither send nor receive. */
  readonly blackHoles = new Set<string>();
  /** Sees every datagram when it is sent, and may refuse it by returning false. */
  filter: ((packet: Buffer, from: Endpoint, to: Endpoint) => boolean) | undefined;
  sent = 0;
  delivered = 0;

  constructor(clock: Clock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Opens a socket at a literal address, such as `socket('203.0.113.7', 33445, handler)`. */
  socket(address: string, port: number, onDatagram: DatagramHandler): DatagramSocket {
    const local = Endpoint.of(address, port);
    if (local === undefined) throw new RangeError(`SimulatedNetwork: no address: ${address}`);
    if (this.#sockets.has(local.key)) throw new RangeError(`SimulatedNetwork: in use: ${local.key}`);
    this.#sockets.set(local.key, onDatagram);
    return {
      localPort: port,
      hasIpv6: local.family === 6,
      fragmentsMade: () => 0,
      mtuTowards: async () => undefined,
      send: (packet, destination) => this.#carry(packet, local, destination),
      close: () => {
        this.#sockets.delete(local.key);
      },
    };
  }

  #carry(packet: Buffer, from: Endpoint, to: Endpoint): void {
    this.sent += 1;
    if (from.family !== to.family) return;
    if (this.#isBlack(from) || this.#isBlack(to)) return;
    if (this.filter?.(packet, from, to) === false) return;
    if (packet.length + HEADERS > this.faults.mtu) return;
    if (this.#random.fraction() < this.faults.loss) return;
    const copies = this.#random.fraction() < this.faults.duplicate ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const bytes = Buffer.from(packet);
      this.#clock.after(this.faults.delay + this.#random.fraction() * this.faults.jitter, () => {
        const handler = this.#sockets.get(to.key);
        if (handler === undefined) return;
        this.delivered += 1;
        handler(bytes, from);
      });
    }
  }

  #isBlack(endpoint: Endpoint): boolean {
    return this.blackHoles.size > 0 && (this.blackHoles.has(endpoint.key) || this.blackHoles.has(endpoint.address));
  }
}
