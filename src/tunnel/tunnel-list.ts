/** The open tunnels of all peers, and the numbers by which people name them. */
import type { Clock } from '../base/clock.js';
import type { CarriedTunnel, TunnelIdentity } from './stream/tunnel.js';
import type { Target } from './wire/target.js';

/** What a peer is to us: a client reaches targets here, a server is reached by our forwards. */
export type PeerRole = 'client' | 'server';

export interface TunnelInfo
  extends Pick<CarriedTunnel, 'bytesSent' | 'bytesReceived' | 'backlog' | 'isClosing' | 'localPort' | 'remoteAddress'> {
  /** Counts up from 1, and names the tunnel for people (`c-17`). */
  readonly number: number;
  readonly peerId: string;
  readonly target: Target;
  /** See TunnelIdentity. */
  readonly destination: Target | undefined;
  /** What the peer has the tunnel as. */
  readonly peerRole: PeerRole;
  /** ms since it was opened. */
  readonly age: number;
}

interface Entry {
  readonly number: number;
  readonly peerId: string;
}

export class TunnelList {
  readonly #clock: Clock;
  readonly #entries = new Map<CarriedTunnel, Entry>();
  #lastNumber = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }

  get tunnels(): CarriedTunnel[] {
    return [...this.#entries.keys()];
  }

  list(): TunnelInfo[] {
    return this.tunnels.map((tunnel) => this.#describe(tunnel));
  }

  /** Requests have numbers too, which their tunnels keep. */
  nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  add(tunnel: CarriedTunnel, peerId: string, number = this.nextNumber()): TunnelInfo {
    this.#entries.set(tunnel, { number, peerId });
    return this.#describe(tunnel);
  }

  /** @returns what it was */
  remove(tunnel: CarriedTunnel): TunnelInfo {
    const info = this.#describe(tunnel);
    this.#entries.delete(tunnel);
    return info;
  }

  find(number: number): CarriedTunnel | undefined {
    for (const [tunnel, entry] of this.#entries) if (entry.number === number) return tunnel;
    return undefined;
  }

  /** The tunnels that a peer has in one role, the oldest first. */
  of(peerId: string, role: PeerRole): CarriedTunnel[] {
    return [...this.#entries]
      .filter(([{ identity }, entry]) => entry.peerId === peerId && roleOf(identity) === role)
      .sort(([, one], [, other]) => one.number - other.number)
      .map(([tunnel]) => tunnel);
  }

  /** The tunnel of a peer for whose program most bytes wait. */
  slowestOf(peerId: string | undefined): CarriedTunnel | undefined {
    let slowest: CarriedTunnel | undefined;
    for (const [tunnel, entry] of this.#entries)
      if (entry.peerId === peerId && tunnel.backlog > (slowest?.backlog ?? 0)) slowest = tunnel;
    return slowest;
  }

  #describe(tunnel: CarriedTunnel): TunnelInfo {
    const { number, peerId } = this.#entries.get(tunnel) as Entry;
    const { identity, bytesSent, bytesReceived, backlog, isClosing, localPort, remoteAddress } = tunnel;
    const { target, destination } = identity;
    const age = this.#clock.now() - tunnel.openedAt;
    const traffic = { bytesSent, bytesReceived, backlog };
    const peerRole = roleOf(identity);
    return { number, peerId, target, destination, peerRole, age, ...traffic, isClosing, localPort, remoteAddress };
  }
}

/** What the peer of a tunnel is to us. */
export const roleOf = ({ side }: TunnelIdentity): PeerRole => (side === 'acceptor' ? 'client' : 'server');
