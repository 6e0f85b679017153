/**
 * TCP in one process, beside the simulated network: bytes arrive in order after a delay, cut at random places; a stream
 * takes only so much until the other end has read it. Repeatable from a seed.
 */
import type { Clock } from '../../src/base/clock.js';
import type { Endpoint } from '../../src/base/endpoint.js';
import type {
  AcceptStream,
  DialStream,
  StreamHandlers,
  StreamListener,
  StreamSocket,
} from '../../src/tox/network/stream-socket.js';
import { at } from './nodes.js';
import type { SeededRandom } from './seeded-random.js';

export class SimulatedStreams {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #listeners = new Map<string, AcceptStream>();
  readonly #open = new Set<End>();
  /** One way, ms. */
  delay = 1;
  /** Bytes under way in one direction of a stream before its writer has to stop. */
  capacity = 64 * 1024;
  /** Largest piece in which bytes arrive. */
  pieces = 4096;
  /** Endpoints (or bare addresses) where nothing answers, and from where nothing leaves. */
  readonly blackHoles = new Set<string>();
  /** Endpoints that take in nothing for now, so that writers to them run full. */
  readonly stalled = new Set<string>();
  dialled = 0;

  constructor(clock: Clock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Connections that stand, or are being made. */
  get connections(): number {
    return this.#open.size / 2;
  }

  listen(address: string, port: number, accept: AcceptStream): StreamListener {
    const { key } = at(address, port);
    if (this.#listeners.has(key)) throw new RangeError(`SimulatedStreams: in use: ${key}`);
    this.#listeners.set(key, accept);
    return { port, close: () => void this.#listeners.delete(key) };
  }

  /** How a host with this address dials. 127.0.0.1 is the host itself. */
  dialer(address: string): DialStream {
    return (to, handlers) => this.#dial(address, to, handlers);
  }

  /** Ends of standing connections at an address. */
  connectionsOf(address: string): number {
    return [...this.#open].filter(({ local }) => local.address === address).length;
  }

  /** Breaks every connection of an address, as when its cable is cut: both ends learn of it. */
  reset(address: string): void {
    for (const end of [...this.#open]) if (end.local.address === address) end.break('reset');
  }

  #dial(address: string, to: Endpoint, handlers: StreamHandlers): StreamSocket {
    this.dialled += 1;
    const target = to.address === '127.0.0.1' ? at(address, to.port) : to;
    const near = new End(this, at(address, 10_000 + (this.dialled % 50_000)), to);
    const far = new End(this, target, near.local);
    near.peer = far;
    far.peer = near;
    near.handlers = handlers;
    this.#open.add(near).add(far);
    this.#after(() => {
      if (this.isBlack(near) || this.isBlack(far)) return;
      const accept = this.#listeners.get(target.key);
      far.handlers = near.isOpen ? accept?.(far) : undefined;
      if (far.handlers === undefined) return near.break('refused');
      this.#after(() => {
        if (near.isOpen) near.open();
      });
    });
    return near;
  }

  isBlack({ local }: End): boolean {
    return this.blackHoles.has(local.key) || this.blackHoles.has(local.address);
  }

  /** Carries bytes, or keeps them while the receiver stalls. */
  carry(bytes: Buffer, from: End): void {
    this.#after(() => {
      const { peer } = from;
      if (!peer.isOpen || this.isBlack(from) || this.isBlack(peer)) return;
      if (this.stalled.has(peer.local.address)) return void from.held.push(bytes);
      for (let offset = 0; offset < bytes.length && peer.isOpen; ) {
        const size = 1 + this.#random.below(this.pieces);
        peer.handlers?.onData(Buffer.from(bytes.subarray(offset, offset + size)));
        offset += size;
      }
      from.delivered(bytes.length);
    });
  }

  /** Lets an address read again. */
  resume(address: string): void {
    this.stalled.delete(address);
    for (const end of [...this.#open]) {
      if (end.peer.local.address === address) for (const bytes of end.held.splice(0)) this.carry(bytes, end);
    }
  }

  closed(end: End): void {
    this.#open.delete(end);
    this.#after(() => end.peer.break('ended by the other side'));
  }

  #after(action: () => void): void {
    this.#clock.after(this.delay, action);
  }
}

class End implements StreamSocket {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly #net: SimulatedStreams;
  handlers: StreamHandlers | undefined;
  isOpen = true;
  readonly held: Buffer[] = [];
  #underWay = 0;
  #isRefusing = false;
  #peer: End | undefined;

  constructor(net: SimulatedStreams, local: Endpoint, remote: Endpoint) {
    this.#net = net;
    this.local = local;
    this.remote = remote;
  }

  get peer(): End {
    return this.#peer as End;
  }

  set peer(peer: End) {
    this.#peer = peer;
  }

  get waiting(): number {
    return this.#underWay;
  }

  open(): void {
    this.handlers?.onOpen?.();
  }

  write(bytes: Buffer): boolean {
    if (!this.isOpen) return false;
    this.#underWay += bytes.length;
    this.#net.carry(Buffer.from(bytes), this);
    this.#isRefusing ||= this.#underWay >= this.#net.capacity;
    return !this.#isRefusing;
  }

  delivered(length: number): void {
    this.#underWay -= length;
    if (!this.isOpen || !this.#isRefusing || this.#underWay > this.#net.capacity / 2) return;
    this.#isRefusing = false;
    this.handlers?.onDrain();
  }

  destroy(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.handlers = undefined;
    this.#net.closed(this);
  }

  /** The network ends it. */
  break(reason: string): void {
    if (!this.isOpen) return;
    const { handlers } = this;
    this.destroy();
    handlers?.onClose(reason);
  }
}
