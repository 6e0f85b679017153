/** The open tunnels of all peers, and the numbers by which people name them. */
import type { Clock } from '../../base/clock.js';
import type { CarriedTunnel, TunnelIdentity } from '../stream/tunnel.js';
import { type ListenPlace, reverseIdOf, targetOfPlace } from '../wire/listen.js';
import type { Target } from '../wire/target.js';
import { PeerCounter } from './peer-counter.js';
import { MAX_BACKLOG } from './tunnel-table.js';

/** Bytes of all peers that may wait for slow programs: enough for the backlogs of two peers, which more peers share. */
const MAX_ALL_BACKLOG = 256 * 1024 * 1024;

/** What a peer is to us: the forwards are those of the client, also where the server opens the tunnels (-R). */
export type PeerRole = 'client' | 'server';

export interface TunnelInfo
  extends Pick<CarriedTunnel, 'bytesSent' | 'bytesReceived' | 'backlog' | 'isClosing' | 'localPort' | 'remoteAddress'> {
  /** Counts up from 1, and names the tunnel for people (`c-17`). */
  readonly number: number;
  readonly peerId: string;
  /** Of a connection at a port that was opened for the peer: that port. */
  readonly target: Target;
  /** Where the connection came in, if one side has a port open for the other (-R). */
  readonly listener: ListenPlace | undefined;
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
  readonly listener: ListenPlace | undefined;
}

export class TunnelList {
  readonly #clock: Clock;
  readonly #entries = new Map<CarriedTunnel, Entry>();
  /** Those of each peer, of earlier channels too, and those that it has as a client. */
  readonly #ofPeers = new PeerCounter();
  readonly #ofClients = new PeerCounter();
  /** Bytes that wait for local programs. */
  readonly #backlogs = new PeerCounter((peerId) => this.#ofPeers.of(peerId) > 0);
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

  add(tunnel: CarriedTunnel, { peerId, listener }: Pick<Entry, 'peerId' | 'listener'>): TunnelInfo {
    const { number = this.nextNumber() } = tunnel.identity;
    this.#entries.set(tunnel, { number, peerId, listener });
    this.#ofPeers.add(peerId, 1);
    if (roleOf(tunnel.identity) === 'client') this.#ofClients.add(peerId, 1);
    return this.#describe(tunnel);
  }

  /** @returns what it was */
  remove(tunnel: CarriedTunnel): TunnelInfo {
    const info = this.#describe(tunnel);
    this.#entries.delete(tunnel);
    this.#ofPeers.add(info.peerId, -1);
    if (info.peerRole === 'client') this.#ofClients.add(info.peerId, -1);
    // With its last tunnel, a peer whose count is 0 loses its place.
    this.#backlogs.add(info.peerId, 0);
    return info;
  }

  find(number: number): CarriedTunnel | undefined {
    for (const [tunnel, entry] of this.#entries) if (entry.number === number) return tunnel;
    return undefined;
  }

  /** How many tunnels a peer has, those of its earlier channels too. */
  countOf(peerId: string, role?: 'client'): number {
    return (role === 'client' ? this.#ofClients : this.#ofPeers).of(peerId);
  }

  /** The tunnels that a peer has in one role, the oldest first. */
  of(peerId: string, role: PeerRole): CarriedTunnel[] {
    return [...this.#entries]
      .filter(([{ identity }, entry]) => entry.peerId === peerId && roleOf(identity) === role)
      .sort(([, one], [, other]) => one.number - other.number)
      .map(([tunnel]) => tunnel);
  }

  /** Closes the slowest tunnel of an upstream peer above its bound (windows bound the others), or of the peer with the most bytes. */
  onBacklog(peerId: string, change: number): void {
    this.#backlogs.add(peerId, change);
    if (this.#backlogs.of(peerId) > MAX_BACKLOG) this.#slowestOf(peerId)?.close('overflow');
    else if (this.#backlogs.total > MAX_ALL_BACKLOG) this.#slowestOf(this.#backlogs.highest)?.close('overflow');
  }

  /** The tunnel of a peer for whose program most bytes wait. */
  #slowestOf(peerId: string | undefined): CarriedTunnel | undefined {
    let slowest: CarriedTunnel | undefined;
    for (const [tunnel, entry] of this.#entries)
      if (entry.peerId === peerId && tunnel.backlog > (slowest?.backlog ?? 0)) slowest = tunnel;
    return slowest;
  }

  #describe(tunnel: CarriedTunnel): TunnelInfo {
    const { number, peerId, listener } = this.#entries.get(tunnel) as Entry;
    const { identity, bytesSent, bytesReceived, backlog, isClosing, localPort, remoteAddress } = tunnel;
    const { destination } = identity;
    const target = shownTarget(identity, listener);
    const age = this.#clock.now() - tunnel.openedAt;
    const traffic = { bytesSent, bytesReceived, backlog };
    const peerRole = roleOf(identity);
    const named = { number, peerId, target, listener, destination, peerRole };
    return { ...named, age, ...traffic, isClosing, localPort, remoteAddress };
  }
}

/** What the peer of a tunnel is to us. */
export function roleOf({ side, target }: TunnelIdentity): PeerRole {
  const isReverse = reverseIdOf(target) !== undefined;
  return (side === 'acceptor') === isReverse ? 'server' : 'client';
}

/** The target of a reverse tunnel is known to the side that asked for the port. */
function shownTarget({ side, target, destination }: TunnelIdentity, listener: ListenPlace | undefined): Target {
  if (listener === undefined) return target;
  return side === 'acceptor' ? (destination ?? target) : targetOfPlace(listener);
}
