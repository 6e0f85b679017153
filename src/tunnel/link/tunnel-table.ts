/** The tunnels of one link, by id and direction, and the memory that they fill. */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { TurnQueue } from '../stream/frame-scheduler.js';
import type { LocalEnd } from '../stream/local-end.js';
import { BASE_WINDOW, WINDOW_POOL, WindowPool } from '../stream/receive-window.js';
import { Tunnel } from '../stream/tunnel.js';
import type { Terms, TunnelIdentity, TunnelLine } from '../stream/tunnel-line.js';
import { FROM_ACCEPTOR, type Frame } from '../wire/frame.js';
import type { Reason } from '../wire/reasons.js';
import type { PeerTerms } from './negotiation.js';
import type { RoundTrip } from './round-trip.js';
import { ConnectionIds } from './tunnel-ids.js';

/** Of both directions together, requests included: more than a browser or a build opens, and a bound for memory. */
export const MAX_TUNNELS = 1024;
/** Bytes that may wait for slow programs of one peer: what windows allow at the most, and the bound for upstream peers. */
export const MAX_BACKLOG = MAX_TUNNELS * BASE_WINDOW + WINDOW_POOL;
/** ms, see Terms. A program that only stops writing waits for its answer; a service that stops writing is mostly done. */
const OPENER_LINGER = 2_000;
const ACCEPTOR_LINGER = 250;

export interface TunnelHandlers {
  onTunnelOpened(tunnel: Tunnel): void;
  /** `reason` when it did not end in good order. */
  onTunnelClosed(tunnel: Tunnel, reason: Reason | undefined): void;
  /** So many bytes more, or less, wait for the local program of one of the tunnels. */
  onBacklog(change: number): void;
}

export class TunnelTable {
  readonly #clock: Clock;
  readonly #queue: TurnQueue;
  readonly #handlers: TunnelHandlers;
  readonly #ids: ConnectionIds;
  readonly #pool = new WindowPool();
  readonly #line: TunnelLine;
  /** Tunnels whose line is not over: those that the peer opened, and those that this side opened. */
  readonly #accepted = new Map<number, Tunnel>();
  readonly #opened = new Map<number, Tunnel>();
  /** All whose line or local end is not over. */
  readonly #all = new Set<Tunnel>();

  /** @param options.frameData bytes of data that a frame may have on this channel now */
  constructor(
    deps: {
      readonly clock: Clock;
      readonly random: Random;
      readonly queue: TurnQueue;
      readonly roundTrip: RoundTrip;
      readonly handlers: TunnelHandlers;
    },
    options: { readonly frameData: () => number },
  ) {
    const { queue, roundTrip } = deps;
    this.#clock = deps.clock;
    this.#queue = queue;
    this.#handlers = deps.handlers;
    this.#ids = new ConnectionIds(deps.random);
    this.#line = {
      frameData: options.frameData,
      send: (frame) => queue.send(frame),
      wantTurn: (tunnel) => queue.wantTurn(tunnel),
      roundTrip: () => roundTrip.current(),
      onBacklog: (change) => this.#handlers.onBacklog(change),
      onLineOver: (tunnel) => this.#onLineOver(tunnel as Tunnel),
      onOver: (tunnel, reason) => this.#onOver(tunnel as Tunnel, reason),
    };
  }

  get all(): ReadonlySet<Tunnel> {
    return this.#all;
  }

  get openedIds(): number[] {
    return [...this.#opened.keys()];
  }

  takeId(): number {
    return this.#ids.take();
  }

  releaseId(id: number): void {
    this.#ids.release(id);
  }

  /** The tunnel that this side opened under an id of the peer's. */
  opened(id: number): Tunnel | undefined {
    return this.#opened.get(id);
  }

  /** The tunnel that a frame belongs to. An upstream peer is server or client, and does not say which. */
  find(frame: Frame, terms: PeerTerms): Tunnel | undefined {
    if ((frame.type & FROM_ACCEPTOR) !== 0) return this.#opened.get(frame.id);
    const accepted = this.#accepted.get(frame.id);
    return accepted ?? (terms.kind === 'extended' ? undefined : this.#opened.get(frame.id));
  }

  add(identity: TunnelIdentity, local: LocalEnd, peer: PeerTerms): void {
    const isOpener = identity.side === 'opener';
    const terms: Terms =
      peer.kind === 'extended'
        ? { kind: 'extended', credit: peer.credit, pool: this.#pool }
        : { kind: 'upstream', linger: isOpener ? OPENER_LINGER : ACCEPTOR_LINGER };
    const tunnel = new Tunnel({ line: this.#line, clock: this.#clock, local }, { identity, terms });
    (isOpener ? this.#opened : this.#accepted).set(identity.id, tunnel);
    this.#all.add(tunnel);
    this.#handlers.onTunnelOpened(tunnel);
    tunnel.start();
  }

  #onLineOver(tunnel: Tunnel): void {
    const { id, side } = tunnel.identity;
    this.#queue.forget(tunnel);
    (side === 'opener' ? this.#opened : this.#accepted).delete(id);
    if (side === 'acceptor') this.#ids.release(id);
  }

  #onOver(tunnel: Tunnel, reason: Reason | undefined): void {
    this.#all.delete(tunnel);
    this.#handlers.onTunnelClosed(tunnel, reason);
  }
}

/** The tunnel whose local program is furthest behind; undefined when none is. */
export function fullestOf(tunnels: Iterable<Tunnel>): Tunnel | undefined {
  let fullest: Tunnel | undefined;
  for (const tunnel of tunnels) if (tunnel.backlog > (fullest?.backlog ?? 0)) fullest = tunnel;
  return fullest;
}
