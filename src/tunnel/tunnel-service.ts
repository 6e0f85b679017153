/** Tunnels of one running identity, with all its peers: channels come and go, forwards stay, everything can be listed. */
import { EventEmitter } from 'node:events';
import type { Clock } from '../base/clock.js';
import { descriptorShares } from '../base/descriptor-shares.js';
import { FloodLog } from '../base/flood-log.js';
import type { Logger } from '../base/logger.js';
import { LruMap } from '../base/lru-map.js';
import type { Random } from '../base/random.js';
import type { ForwardSpec } from './client/forward-spec.js';
import { LocalForward } from './client/local-forward.js';
import { type Opener, PeerOpener } from './client/peer-opener.js';
import { whenQuiet } from './drain.js';
import type { TunnelOffer } from './link/incoming-request.js';
import { PeerLink } from './link/peer-link.js';
import { fullestOf, MAX_BACKLOG, MAX_TUNNELS } from './link/tunnel-table.js';
import { PeerUsage } from './peer-usage.js';
import { noRoomFor } from './server/descriptor-quota.js';
import { type Dialer, TcpDialer } from './server/dialer.js';
import { type MayReach, RequestHandler } from './server/request-handler.js';
import type { Tunnel } from './stream/tunnel.js';
import { describeTunnel, type PeerInfo, type TunnelInfo } from './tunnel-info.js';
import type { PeerChannel } from './wire/peer-channel.js';
import { describeReason, type Reason, TunnelError } from './wire/reasons.js';
import { describeTarget, type Target } from './wire/target.js';

/** Of all peers together, where there are so many descriptors: BASE_WINDOW of memory each. */
const MAX_ALL_TUNNELS = 8192;
/** Bytes that may wait for slow programs, of all peers together: two peers can fill what one may, and more than that only share it. */
const MAX_ALL_BACKLOG = 256 * 1024 * 1024;
/** Upstream servers whose forgotten tunnels are remembered, until they are seen again. */
const MAX_STALE_PEERS = 64;

interface TunnelEvents {
  opened: [tunnel: TunnelInfo];
  /** `reason` when it did not end in good order. */
  closed: [tunnel: TunnelInfo, reason: Reason | undefined];
  /** A request of a peer; `detail` is for the owner's eyes. */
  refused: [peerId: string, target: Target, reason: Reason, detail: string];
}

export class TunnelService extends EventEmitter<TunnelEvents> {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #said: FloodLog;
  readonly #nameOf: (peerId: string) => string;
  readonly #requests: RequestHandler;
  /** Tunnels, and connections that are to become some. */
  readonly #limit: number;
  readonly #links = new Map<string, PeerLink>();
  readonly #openers = new Map<string, PeerOpener>();
  readonly #forwards = new Set<LocalForward>();
  readonly #staleIds = new LruMap<string, readonly number[]>(MAX_STALE_PEERS);
  readonly #usage = new PeerUsage();
  readonly #numbered = new Map<Tunnel, { readonly number: number; readonly peerId: string }>();
  /** Requests of peers whose targets are being dialled. */
  readonly #dialled = new Map<TunnelOffer, { readonly number: number; readonly since: number }>();
  #lastNumber = 0;
  /** Of the request that becomes a tunnel just now. */
  #acceptedNumber: number | undefined;
  #isStopped = false;

  /**
   * @param deps.mayReach asked for every request of a peer, and again when its target is connected
   * @param deps.descriptors that tunnels may have together
   */
  constructor(deps: {
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Logger;
    readonly mayReach: MayReach;
    /** How the log names a peer; the beginning of its key, unless given. */
    readonly nameOf?: (peerId: string) => string;
    readonly dialer?: Dialer;
    readonly descriptors?: number;
  }) {
    super();
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#log = deps.log;
    this.#said = new FloodLog(deps);
    this.#nameOf = deps.nameOf ?? ((peerId) => peerId.slice(0, 8));
    this.#limit = Math.min(MAX_ALL_TUNNELS, deps.descriptors ?? descriptorShares().tunnels);
    this.#requests = new RequestHandler({
      dialer: deps.dialer ?? new TcpDialer(deps.clock),
      mayReach: deps.mayReach,
      said: this.#said,
      nameOf: this.#nameOf,
      events: {
        onRefused: (...refusal) => this.emit('refused', ...refusal),
        onDialling: (offer) => void this.#dialled.set(offer, { number: this.#nextNumber(), since: this.#clock.now() }),
        onDialled: (offer, accept) => this.#onDialled(offer, accept),
      },
    });
  }

  /** A peer has come online. Its earlier channel, if there is one, counts as closed. */
  attach(channel: PeerChannel): void {
    if (this.#isStopped) return;
    const { peerId } = channel;
    this.#links.get(peerId)?.close('peer-gone');
    const staleIds = this.#staleIds.get(peerId) ?? [];
    this.#staleIds.delete(peerId);
    const link: PeerLink = new PeerLink(
      {
        channel,
        clock: this.#clock,
        random: this.#random,
        log: this.#log.child(peerId.slice(0, 8)),
        handlers: {
          onOffer: (offer) => this.#requests.handle(offer, this.#fullFor(peerId)),
          onTunnelOpened: (tunnel) => this.#onTunnelOpened(peerId, tunnel),
          onTunnelClosed: (tunnel, reason) => this.#onTunnelClosed(tunnel, reason),
          onBacklog: (change) => this.#onBacklog(peerId, change),
          onClose: () => this.#onLinkClosed(link),
        },
      },
      { staleIds },
    );
    this.#links.set(peerId, link);
    this.#openers.get(peerId)?.onLink(link);
  }

  /** Where tunnels to a peer are asked for, whether it is online or not. */
  opener(peerId: string): Opener {
    let opener = this.#openers.get(peerId);
    if (opener === undefined) {
      opener = new PeerOpener(this.#clock);
      this.#openers.set(peerId, opener);
      const link = this.#links.get(peerId);
      if (link !== undefined) opener.onLink(link);
    }
    return opener;
  }

  /** Listens on a local port from now on. @throws ListenError */
  async forward(peerId: string, spec: ForwardSpec): Promise<LocalForward> {
    const hasRoom = (): boolean => this.#used < this.#limit;
    const deps = { clock: this.#clock, opener: this.opener(peerId), log: this.#log, said: this.#said, hasRoom };
    const forward = new LocalForward(deps, { spec });
    await forward.listen();
    if (this.#isStopped) forward.close();
    else this.#forwards.add(forward);
    return forward;
  }

  /** Stops listening; its tunnels stay. */
  removeForward(forward: LocalForward): void {
    if (this.#forwards.delete(forward)) forward.close();
  }

  /** Resolves to the round trip in ms. @throws TunnelError `peer-away`, `peer-gone`, `timeout` */
  async ping(peerId: string): Promise<number> {
    const link = this.#links.get(peerId);
    if (link === undefined) throw new TunnelError('peer-away');
    return link.ping();
  }

  peers(): PeerInfo[] {
    return [...this.#links.values()].map(({ peerId, terms, roundTrip, tunnels }) => {
      return { peerId, terms, roundTrip, tunnels: tunnels.size };
    });
  }

  list(): TunnelInfo[] {
    return [...this.#numbered.keys()].map((tunnel) => this.#describe(tunnel));
  }

  /** Requests of peers whose targets are being connected; each keeps its number when it becomes a tunnel. */
  connecting(): Pick<TunnelInfo, 'number' | 'peerId' | 'target' | 'age'>[] {
    const now = this.#clock.now();
    return [...this.#dialled].map(([{ peerId, target }, { number, since }]) => {
      return { number, peerId, target, age: now - since };
    });
  }

  /** @returns false when there is no such tunnel, and none to become one */
  closeTunnel(number: number): boolean {
    for (const [tunnel, entry] of this.#numbered) {
      if (entry.number !== number) continue;
      tunnel.close('closed-by-owner');
      return true;
    }
    for (const [offer, entry] of this.#dialled) {
      if (entry.number !== number) continue;
      this.#requests.refuse(offer, 'closed-by-owner');
      return true;
    }
    return false;
  }

  /** Breaks all tunnels with a peer, at once; the channel is the caller's to close. */
  closePeer(peerId: string, reason: Reason = 'closed-by-owner'): void {
    for (const [tunnel, entry] of [...this.#numbered]) if (entry.peerId === peerId) tunnel.close(reason);
    for (const offer of [...this.#dialled.keys()]) if (offer.peerId === peerId) this.#requests.refuse(offer, reason);
  }

  /** Takes nothing new, and resolves once the tunnels carry nothing, or have had their time; before `stop`. */
  drain(): Promise<void> {
    for (const forward of this.#forwards) forward.close();
    this.#requests.close('shutting-down');
    return whenQuiet(this.#clock, () => this.list());
  }

  /** Ends everything: listeners, tunnels, links. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    for (const forward of this.#forwards) forward.close();
    this.#forwards.clear();
    this.#requests.stop();
    this.#dialled.clear();
    for (const tunnel of [...this.#numbered.keys()]) tunnel.close('shutting-down');
    for (const link of [...this.#links.values()]) link.close('shutting-down');
    for (const opener of this.#openers.values()) opener.close('shutting-down');
    this.#said.close();
  }

  get #used(): number {
    let used = this.#numbered.size + this.#dialled.size;
    for (const forward of this.#forwards) used += forward.pending;
    return used;
  }

  #fullFor(peerId: string): string | undefined {
    const own = this.#usage.of(peerId).tunnels + this.#requests.dials(peerId);
    if (own >= MAX_TUNNELS) return `this client has ${own} connections, some of them left from before it was away`;
    return noRoomFor(own, { limit: this.#limit, used: this.#used });
  }

  #onLinkClosed(link: PeerLink): void {
    const { peerId, staleIds } = link;
    if (this.#links.get(peerId) === link) this.#links.delete(peerId);
    if (staleIds.length > 0) this.#staleIds.set(peerId, staleIds);
    this.#openers.get(peerId)?.onLinkClosed(link);
  }

  #nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  #onDialled(offer: TunnelOffer, accept: (() => void) | undefined): void {
    this.#acceptedNumber = this.#dialled.get(offer)?.number;
    this.#dialled.delete(offer);
    accept?.();
    this.#acceptedNumber = undefined;
  }

  #onTunnelOpened(peerId: string, tunnel: Tunnel): void {
    this.#numbered.set(tunnel, { number: this.#acceptedNumber ?? this.#nextNumber(), peerId });
    this.#usage.add(peerId, { tunnels: 1 });
    const info = this.#describe(tunnel);
    this.#tell(info, 'opened', info.direction === 'accepted');
    this.emit('opened', info);
  }

  #onTunnelClosed(tunnel: Tunnel, reason: Reason | undefined): void {
    const info = this.#describe(tunnel);
    this.#numbered.delete(tunnel);
    this.#usage.add(info.peerId, { tunnels: -1 });
    // Who opens them here sees them come and go; the owner of a server does not.
    const isNews = info.direction === 'accepted' || reason !== undefined;
    this.#tell(info, 'ended', isNews, reason === undefined ? '' : `: ${describeReason(reason)}`);
    this.emit('closed', info, reason);
  }

  #tell({ peerId, target }: TunnelInfo, what: 'opened' | 'ended', isNews: boolean, why = ''): void {
    const name = this.#nameOf(peerId);
    const text = `${name}: tunnel to ${describeTarget(target)} ${what}${why}`;
    if (isNews) this.#said.say({ source: peerId, name, kind: `tunnel ${what}`, level: 'info', text });
    else this.#log.debug(text);
  }

  /** Windows keep an extended peer below its bound; of another, or of the peer that has most, the slowest program has to go. */
  #onBacklog(peerId: string, change: number): void {
    this.#usage.add(peerId, { bytes: change });
    if (this.#usage.of(peerId).bytes > MAX_BACKLOG) this.#closeFullestOf(peerId);
    else if (this.#usage.bytes > MAX_ALL_BACKLOG) this.#closeFullestOf(this.#usage.fullest);
  }

  #closeFullestOf(peerId: string | undefined): void {
    const tunnels = [...this.#numbered].filter(([, entry]) => entry.peerId === peerId);
    fullestOf(tunnels.map(([tunnel]) => tunnel))?.close('overflow');
  }

  #describe(tunnel: Tunnel): TunnelInfo {
    const entry = this.#numbered.get(tunnel) as { readonly number: number; readonly peerId: string };
    return describeTunnel(tunnel, entry, this.#clock.now());
  }
}
