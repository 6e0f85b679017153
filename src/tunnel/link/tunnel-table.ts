/** The tunnels of one link, by id and direction. */
import type { Clock } from '../../base/clock.js';
import type { MemoryBudget } from '../../base/memory-budget.js';
import type { Random } from '../../base/random.js';
import type { DatagramPacket } from '../datagram/datagram-packet.js';
import { type DatagramLink, DatagramTunnel } from '../datagram/datagram-tunnel.js';
import { type DatagramEnd, isDatagramEnd, type TunnelEnd } from '../stream/datagram-end.js';
import type { FrameScheduler } from '../stream/frame-scheduler.js';
import type { LocalEnd } from '../stream/local-end.js';
import { BASE_WINDOW, WINDOW_POOL, WindowPool } from '../stream/receive-window.js';
import {
  type CarriedTunnel,
  type RateLimits,
  type Terms,
  Tunnel,
  type TunnelIdentity,
  type TunnelLink,
} from '../stream/tunnel.js';
import { FROM_ACCEPTOR, type Frame } from '../wire/frame.js';
import type { Reason } from '../wire/reasons.js';
import type { PeerTerms } from './negotiation.js';
import type { RoundTrip } from './round-trip.js';
import { TunnelIds } from './tunnel-ids.js';

/** Tunnels and requests of both directions together: more than a browser or a build opens, and a bound for memory. */
export const MAX_TUNNELS = 1024;
/** Bytes that may wait for slow programs of one peer: the most that windows allow, and the bound for upstream peers. */
export const MAX_BACKLOG = MAX_TUNNELS * BASE_WINDOW + WINDOW_POOL;
/** ms, see Terms. A program that only ends its writing waits for an answer; a service that does so is mostly done. */
const OPENER_LINGER = 2_000;
const ACCEPTOR_LINGER = 250;

export interface TunnelHandlers {
  /** Returns how fast a tunnel may carry, together with others; undefined: no limit, now or later. */
  limits?(identity: TunnelIdentity): RateLimits | undefined;
  onTunnelOpened(tunnel: CarriedTunnel): void;
  /** @param reason undefined when the tunnel ended in good order */
  onTunnelClosed(tunnel: CarriedTunnel, reason: Reason | undefined): void;
  /** @param change bytes that wait for the local programs of the tunnels, more or less than before */
  onBacklog(change: number): void;
}

interface TunnelTableDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: FrameScheduler;
  readonly roundTrip: RoundTrip;
  readonly handlers: TunnelHandlers;
  readonly datagrams: DatagramChannel;
}

/** What UDP sessions need beyond frames. */
export interface DatagramChannel extends Pick<DatagramLink, 'packetSize' | 'sendLossy'> {
  /** Memory of all peers for fragments that wait for others. */
  readonly memory: MemoryBudget;
}

export class TunnelTable {
  /** Ids of the tunnels that the peer opens. */
  readonly ids: TunnelIds;
  readonly #deps: TunnelTableDeps;
  readonly #pool = new WindowPool();
  readonly #link: TunnelLink;
  readonly #datagramLink: DatagramLink;
  /** Tunnels whose id is not free, by id: those that the peer opened, and those that this side opened. */
  readonly #accepted = new Map<number, CarriedTunnel>();
  readonly #opened = new Map<number, CarriedTunnel>();
  /** Accepted tunnels by the forward ids of their requests. */
  readonly #requested = new Map<number, CarriedTunnel>();
  /** All tunnels whose id is not free or whose local end is not over. */
  readonly #all = new Set<CarriedTunnel>();

  /** @param options.frameData bytes of data that a frame may have on this channel now */
  constructor(deps: TunnelTableDeps, options: { readonly frameData: () => number }) {
    const { scheduler, roundTrip, handlers, datagrams } = deps;
    this.#deps = deps;
    this.ids = new TunnelIds(deps.random);
    this.#link = {
      frameData: options.frameData,
      send: (frame) => scheduler.send(frame),
      schedule: (tunnel) => scheduler.schedule(tunnel),
      roundTrip: () => roundTrip.current(),
      onBacklog: (change) => handlers.onBacklog(change),
      onIdFree: (tunnel) => this.#onIdFree(tunnel),
      onClosed: (tunnel, reason) => {
        this.#all.delete(tunnel);
        handlers.onTunnelClosed(tunnel, reason);
      },
    };
    this.#datagramLink = {
      ...this.#link,
      packetSize: () => datagrams.packetSize(),
      sendLossy: (packet) => datagrams.sendLossy(packet),
    };
  }

  get all(): ReadonlySet<CarriedTunnel> {
    return this.#all;
  }

  get openedIds(): number[] {
    return [...this.#opened.keys()];
  }

  /** The tunnel that this side opened under an id of the peer's. */
  opened(id: number): CarriedTunnel | undefined {
    return this.#opened.get(id);
  }

  /** The tunnel that was accepted for the last request with a forward id of the peer's. */
  requested(forwardId: number): CarriedTunnel | undefined {
    return this.#requested.get(forwardId);
  }

  /** The peer uses the forward id for another request. */
  forgetRequest(forwardId: number): void {
    this.#requested.delete(forwardId);
  }

  /** The tunnel that a frame belongs to. An upstream peer is server or client, and its frames do not tell which. */
  find(frame: Frame, terms: PeerTerms): CarriedTunnel | undefined {
    if ((frame.type & FROM_ACCEPTOR) !== 0) return this.#opened.get(frame.id);
    const accepted = this.#accepted.get(frame.id);
    return accepted ?? (terms.kind === 'extended' ? undefined : this.#opened.get(frame.id));
  }

  /** The UDP session that a lossy packet belongs to. */
  findSession({ tunnelId, isFromAcceptor }: DatagramPacket): DatagramTunnel | undefined {
    const tunnel = (isFromAcceptor ? this.#opened : this.#accepted).get(tunnelId);
    return tunnel instanceof DatagramTunnel ? tunnel : undefined;
  }

  /** @param sentEarly bytes of early data that were sent */
  add(
    identity: TunnelIdentity,
    local: TunnelEnd,
    { peer, sentEarly }: { readonly peer: PeerTerms; readonly sentEarly?: number | undefined },
  ): CarriedTunnel {
    const isOpener = identity.side === 'opener';
    const tunnel = isDatagramEnd(local)
      ? this.#session(identity, local)
      : this.#stream(identity, local, peer, sentEarly);
    if (identity.forwardId !== undefined) this.#requested.set(identity.forwardId, tunnel);
    (isOpener ? this.#opened : this.#accepted).set(identity.id, tunnel);
    this.#all.add(tunnel);
    this.#deps.handlers.onTunnelOpened(tunnel);
    tunnel.start();
    return tunnel;
  }

  #session(identity: TunnelIdentity, local: DatagramEnd): DatagramTunnel {
    const { clock, datagrams, handlers } = this.#deps;
    const memory = datagrams.memory.share();
    const limits = handlers.limits?.(identity);
    return new DatagramTunnel({ link: this.#datagramLink, clock, local, memory, limits }, identity);
  }

  #stream(identity: TunnelIdentity, local: LocalEnd, peer: PeerTerms, sentEarly?: number): Tunnel {
    const terms: Terms =
      peer.kind === 'extended'
        ? { kind: 'extended', credit: peer.credit, pool: this.#pool }
        : { kind: 'upstream', linger: identity.side === 'opener' ? OPENER_LINGER : ACCEPTOR_LINGER };
    const { clock, handlers } = this.#deps;
    return new Tunnel(
      { link: this.#link, clock, local, limits: handlers.limits?.(identity) },
      { identity, terms, sentEarly },
    );
  }

  #onIdFree(tunnel: CarriedTunnel): void {
    const { id, side, forwardId } = tunnel.identity;
    this.#deps.scheduler.remove(tunnel);
    (side === 'opener' ? this.#opened : this.#accepted).delete(id);
    if (forwardId !== undefined && this.#requested.get(forwardId) === tunnel) this.#requested.delete(forwardId);
    if (side === 'acceptor') this.ids.release(id);
  }
}
