/** The tunnels of one link, by id and direction. */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { FrameScheduler } from '../stream/frame-scheduler.js';
import type { LocalEnd } from '../stream/local-end.js';
import { BASE_WINDOW, WINDOW_POOL, WindowPool } from '../stream/receive-window.js';
import { type RateLimits, type Terms, Tunnel, type TunnelIdentity, type TunnelLink } from '../stream/tunnel.js';
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
  onTunnelOpened(tunnel: Tunnel): void;
  /** @param reason undefined when the tunnel ended in good order */
  onTunnelClosed(tunnel: Tunnel, reason: Reason | undefined): void;
  /** @param change bytes that wait for the local programs of the tunnels, more or less than before */
  onBacklog(change: number): void;
}

interface TunnelTableDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: FrameScheduler;
  readonly roundTrip: RoundTrip;
  readonly handlers: TunnelHandlers;
}

export class TunnelTable {
  /** Ids of the tunnels that the peer opens. */
  readonly ids: TunnelIds;
  readonly #deps: TunnelTableDeps;
  readonly #pool = new WindowPool();
  readonly #link: TunnelLink;
  /** Tunnels whose id is not free, by id: those that the peer opened, and those that this side opened. */
  readonly #accepted = new Map<number, Tunnel>();
  readonly #opened = new Map<number, Tunnel>();
  /** All tunnels whose id is not free or whose local end is not over. */
  readonly #all = new Set<Tunnel>();

  /** @param options.frameData bytes of data that a frame may have on this channel now */
  constructor(deps: TunnelTableDeps, options: { readonly frameData: () => number }) {
    const { scheduler, roundTrip, handlers } = deps;
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
  }

  get all(): ReadonlySet<Tunnel> {
    return this.#all;
  }

  get openedIds(): number[] {
    return [...this.#opened.keys()];
  }

  /** The tunnel that this side opened under an id of the peer's. */
  opened(id: number): Tunnel | undefined {
    return this.#opened.get(id);
  }

  /** The tunnel that a frame belongs to. An upstream peer is server or client, and its frames do not tell which. */
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
    const { clock, handlers } = this.#deps;
    const limits = handlers.limits?.(identity);
    const tunnel = new Tunnel({ link: this.#link, clock, local, limits }, { identity, terms });
    (isOpener ? this.#opened : this.#accepted).set(identity.id, tunnel);
    this.#all.add(tunnel);
    handlers.onTunnelOpened(tunnel);
    tunnel.start();
  }

  #onIdFree(tunnel: Tunnel): void {
    const { id, side } = tunnel.identity;
    this.#deps.scheduler.remove(tunnel);
    (side === 'opener' ? this.#opened : this.#accepted).delete(id);
    if (side === 'acceptor') this.ids.release(id);
  }
}
