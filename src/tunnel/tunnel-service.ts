/** Tunnels of one running identity with all its peers. Channels come and go, forwards stay, and everything can be listed. */
import { EventEmitter } from 'node:events';
import type { Clock } from '../base/clock.js';
import { descriptorShares } from '../base/descriptor-shares.js';
import { FloodLog } from '../base/flood-log.js';
import { Listeners } from '../base/listeners.js';
import type { Logger } from '../base/logger.js';
import { LruMap } from '../base/lru-map.js';
import { MemoryBudget } from '../base/memory-budget.js';
import type { Random } from '../base/random.js';
import { countText } from '../base/units.js';
import type { Forward, ForwardSpec } from './client/forward-spec.js';
import { openForward } from './client/open-forward.js';
import { type Opener, PeerOpener } from './client/peer-opener.js';
import type { ExplainRefusal } from './client/remote-forward.js';
import { RemoteForwards } from './client/remote-forwards.js';
import { waitUntilClosed, waitUntilIdle } from './drain.js';
import { askServices } from './link/ask-services.js';
import { PeerLink } from './link/peer-link.js';
import { MAX_BACKLOG, MAX_TUNNELS } from './link/tunnel-table.js';
import { type LimitsOf, NO_LIMITS, PeerRates } from './peer-limits.js';
import { type MayListen, noPort, type RemotePortInfo, RemotePorts } from './remote-ports.js';
import type { SourceOf } from './server/client-source.js';
import { quotaRefusal } from './server/descriptor-quota.js';
import type { Dialer } from './server/dialer.js';
import { PeerCounter } from './server/peer-counter.js';
import { type MayReach, RequestHandler } from './server/request-handler.js';
import { targetDialer } from './server/target-dialer.js';
import type { CarriedTunnel } from './stream/tunnel.js';
import { type PeerRole, roleOf, type TunnelInfo, TunnelList } from './tunnel-list.js';
import { TunnelLog } from './tunnel-log.js';
import { type ListenPlace, reverseIdOf } from './wire/listen.js';
import type { PeerChannel } from './wire/peer-channel.js';
import { type Reason, TunnelError } from './wire/reasons.js';
import type { Service, Target } from './wire/target.js';

/** Tunnels of all peers, if there are so many descriptors: BASE_WINDOW of memory each. */
const MAX_ALL_TUNNELS = 8192;
/** Bytes of all peers that may wait for slow programs: enough for the backlogs of two peers, which more peers share. */
const MAX_ALL_BACKLOG = 256 * 1024 * 1024;
/** Bytes of all peers for fragments of datagrams that wait for others, and the least of each session: one largest datagram. */
const FRAGMENTS = { total: 16 * 1024 * 1024, floor: 80 * 1024 } as const;
/** Upstream servers for which the ids of lost tunnels are remembered, until their next channel. */
const MAX_STALE_PEERS = 64;

export interface PeerInfo extends Pick<PeerLink, 'peerId' | 'terms' | 'roundTrip'> {
  readonly tunnels: number;
}

interface TunnelEvents {
  opened: [tunnel: TunnelInfo];
  /** `reason` is undefined when the tunnel ended in good order. */
  closed: [tunnel: TunnelInfo, reason: Reason | undefined];
  /** A request of a peer was refused; `detail` is for the owner. */
  refused: [peerId: string, target: Target, reason: Reason, detail: string];
  /** A port that a peer asked for was not opened. */
  'port-refused': [peerId: string, place: ListenPlace, reason: Reason, detail: string];
  /** A peer ends, and does not come back. */
  ended: [peerId: string, reason: Reason];
}

export class TunnelService extends EventEmitter<TunnelEvents> {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #floodLog: FloodLog;
  readonly #nameOf: (peerId: string) => string;
  readonly #servicesFor: (peerId: string) => readonly Service[];
  readonly #requests: RequestHandler;
  readonly #limitsOf: LimitsOf;
  readonly #rates: PeerRates;
  readonly #mayListen: MayListen;
  readonly #ports: RemotePorts;
  /** Tunnels, and connections that may become tunnels. */
  readonly #limit: number;
  readonly #links = new Map<string, PeerLink>();
  readonly #linksOpened = new Listeners<[link: PeerLink]>();
  readonly #linksClosed = new Listeners<[link: PeerLink]>();
  readonly #openers = new Map<string, PeerOpener>();
  readonly #forwards = new Set<Forward>();
  readonly #remoteForwards: RemoteForwards;
  readonly #staleIds = new LruMap<string, readonly number[]>(MAX_STALE_PEERS);
  /** Tunnels and bytes that wait for local programs, including those of earlier channels of a peer. */
  readonly #tunnelCounts = new PeerCounter();
  readonly #backlogs = new PeerCounter();
  readonly #fragments = new MemoryBudget(FRAGMENTS);
  readonly #tunnels: TunnelList;
  readonly #tunnelLog: TunnelLog;
  /** The number of the request that is becoming a tunnel. */
  #acceptedNumber: number | undefined;
  #isStopped = false;

  /**
   * @param deps.mayReach asked for every request of a peer, and again when its target is connected
   * @param deps.descriptors number that all tunnels together may have
   */
  constructor(deps: {
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Logger;
    readonly mayReach: MayReach;
    /** Decides which ports peers may have opened here; by default none. */
    readonly mayListen?: MayListen;
    /** Returns our services that a peer may reach; by default none. */
    readonly servicesFor?: (peerId: string) => readonly Service[];
    /** The name of a peer in the log; by default the beginning of its key. */
    readonly nameOf?: (peerId: string) => string;
    /** By default the system chooses from where targets are connected to. */
    readonly sourceOf?: SourceOf;
    /** By default peers have no limits of their own. */
    readonly limitsOf?: LimitsOf;
    readonly dialer?: Dialer;
    readonly descriptors?: number;
  }) {
    super();
    this.#clock = deps.clock;
    this.#tunnels = new TunnelList(deps.clock);
    this.#random = deps.random;
    this.#log = deps.log;
    this.#floodLog = new FloodLog(deps);
    this.#nameOf = deps.nameOf ?? ((peerId) => peerId.slice(0, 8));
    const dialer = deps.dialer ?? targetDialer(deps.clock, deps);
    const links = { linksOpened: this.#linksOpened, linkTo: (peerId: string) => this.#links.get(peerId) };
    this.#remoteForwards = new RemoteForwards({ ...deps, ...links, dialer, floodLog: this.#floodLog });
    this.#tunnelLog = new TunnelLog({ ...deps, floodLog: this.#floodLog, nameOf: this.#nameOf });
    this.#servicesFor = deps.servicesFor ?? (() => []);
    this.#limitsOf = deps.limitsOf ?? (() => NO_LIMITS);
    this.#rates = new PeerRates(deps.clock, this.#limitsOf);
    this.#limit = Math.min(MAX_ALL_TUNNELS, deps.descriptors ?? descriptorShares().tunnels);
    this.#mayListen = deps.mayListen ?? noPort;
    this.#ports = new RemotePorts({
      ...{ ...deps, floodLog: this.#floodLog, nameOf: this.#nameOf, mayListen: this.#mayListen },
      tunnels: {
        nextNumber: () => this.#tunnels.nextNumber(),
        whyFull: (peerId) => this.#refusalFor(peerId),
        close: (peerId, forwardId, reason) => {
          for (const tunnel of this.#tunnels.of(peerId, 'client'))
            if (reverseIdOf(tunnel.identity.target) === forwardId) tunnel.close(reason);
        },
      },
      onRefused: (...refusal) => this.emit('port-refused', ...refusal),
    });
    this.#requests = new RequestHandler({
      clock: deps.clock,
      dialer,
      mayReach: (peerId, target, reached) =>
        this.#remoteForwards.destinationOf(peerId, target) ?? deps.mayReach(peerId, target, reached),
      floodLog: this.#floodLog,
      nameOf: this.#nameOf,
      nextNumber: () => this.#tunnels.nextNumber(),
      handlers: {
        onRefused: (...refusal) => this.emit('refused', ...refusal),
        onConnected: (number, accept) => {
          this.#acceptedNumber = number;
          accept();
          this.#acceptedNumber = undefined;
        },
      },
    });
  }

  /**
   * Uses the channel of a peer that has come online, once. Its earlier channel, if there is one, counts as closed.
   * @param options.isServer whether the peer is a server: it is told at once that we have the extension, so that it can tell us its end
   */
  attach(channel: PeerChannel, { isServer = false }: { readonly isServer?: boolean } = {}): void {
    if (this.#isStopped) return;
    const { peerId } = channel;
    const before = this.#links.get(peerId);
    if (before?.channel === channel) {
      if (isServer) before.greet();
      return;
    }
    before?.close('connection-lost');
    const staleIds = this.#staleIds.get(peerId) ?? [];
    this.#staleIds.delete(peerId);
    const link: PeerLink = new PeerLink(
      {
        channel,
        clock: this.#clock,
        random: this.#random,
        log: this.#log.child(peerId.slice(0, 8)),
        fragments: this.#fragments,
        handlers: {
          services: () => this.#servicesFor(peerId),
          onEnd: (reason) => this.emit('ended', peerId, reason),
          onListen: (forwardId, place) => this.#ports.open(link, forwardId, place),
          onUnlisten: (forwardId) => this.#ports.release(link, forwardId),
          onRequest: (request) => this.#requests.handle(request, this.#refusalFor(peerId)),
          onTunnelOpened: (tunnel) => this.#onTunnelOpened(peerId, tunnel),
          onTunnelClosed: (tunnel, reason) => this.#onTunnelClosed(tunnel, reason),
          onBacklog: (change) => this.#onBacklog(peerId, change),
          limits: (identity) => (roleOf(identity) === 'client' ? this.#rates.of(peerId) : undefined),
          onClose: () => this.#onLinkClosed(link),
        },
      },
      { staleIds },
    );
    this.#links.set(peerId, link);
    if (isServer) link.greet();
    this.#openers.get(peerId)?.onLink(link);
    this.#linksOpened.tell(link);
  }

  /** Requests tunnels to a peer, whether it is online or not. */
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

  /** Listens at a local place, or has the peer listen. @param explain why the peer does not @throws ListenError */
  async forward(peerId: string, spec: ForwardSpec, explain?: ExplainRefusal): Promise<Forward> {
    const hasRoom = (): boolean => this.#used < this.#limit;
    const deps = { clock: this.#clock, opener: this.opener(peerId), log: this.#log, floodLog: this.#floodLog };
    const onClosed = (): void => void this.#forwards.delete(forward);
    const forward: Forward =
      spec.kind === 'reverse'
        ? this.#remoteForwards.open(peerId, spec, { explain, onClosed })
        : await openForward({ ...deps, hasRoom, onClosed }, spec);
    if (this.#isStopped) forward.close();
    else this.#forwards.add(forward);
    return forward;
  }

  /** Resolves to the round trip in ms. @throws TunnelError `peer-offline`, `connection-lost`, `timeout` */
  async ping(peerId: string): Promise<number> {
    const link = this.#links.get(peerId);
    if (link === undefined) throw new TunnelError('peer-offline');
    return link.ping();
  }

  /**
   * Resolves to the services of the peer that we may reach; undefined if it is as upstream.
   * @throws TunnelError `peer-offline`, `connection-lost`, `timeout`
   */
  async services(peerId: string): Promise<readonly Service[] | undefined> {
    const link = this.#links.get(peerId);
    if (link === undefined) throw new TunnelError('peer-offline');
    return askServices(this.#clock, link);
  }

  /**
   * Called when what peers may do has changed: closes the ports that they may not have any more with all connections that came in there,
   * applies their limits, and sends each the services that it may reach now.
   */
  review(): void {
    this.#ports.review();
    for (const { number, peerId, peerRole, listener } of this.list()) {
      if (peerRole !== 'client' || listener === undefined || this.#mayListen(peerId, listener).allowed) continue;
      this.#tunnels.find(number)?.close('not-allowed');
    }
    this.#rates.update();
    for (const [peerId, link] of this.#links) {
      const { maxTunnels } = this.#limitsOf(peerId);
      const excess = maxTunnels === undefined ? [] : this.#tunnels.of(peerId, 'client').slice(maxTunnels);
      for (const tunnel of excess) tunnel.close('too-many-tunnels');
      link.announceServices();
    }
  }

  peers(): PeerInfo[] {
    return [...this.#links.values()].map(({ peerId, terms, roundTrip, tunnels }) => {
      return { peerId, terms, roundTrip, tunnels: tunnels.size };
    });
  }

  list(): TunnelInfo[] {
    return this.#tunnels.list();
  }

  /** Ports that are open for clients. */
  openPorts(): RemotePortInfo[] {
    return this.#ports.list();
  }

  /** Requests of peers whose targets are being connected to. A tunnel keeps the number of its request. */
  connecting(): Pick<TunnelInfo, 'number' | 'peerId' | 'target' | 'age'>[] {
    return this.#requests.list();
  }

  /** @returns false when neither a tunnel, a request nor a listener has the number */
  closeTunnel(number: number): boolean {
    const tunnel = this.#tunnels.find(number);
    tunnel?.close('closed-by-owner');
    if (tunnel !== undefined || this.#ports.end('closed-by-owner', (port) => port.number === number)) return true;
    return this.#requests.refuse('closed-by-owner', (_, requestNumber) => requestNumber === number);
  }

  /** Breaks the tunnels that a peer has as a client of ours, or as a server, at once. The channel stays open, for the caller to close. */
  closePeer(peerId: string, role: PeerRole, reason: Reason = 'closed-by-owner'): void {
    for (const tunnel of this.#tunnels.of(peerId, role)) tunnel.close(reason);
    if (role === 'client') this.#ports.end(reason, (port) => port.peerId === peerId);
    if (role === 'client') this.#requests.refuse(reason, (requestPeer) => requestPeer === peerId);
  }

  /** Takes no new tunnels; resolves once the tunnels are idle, or after 10 s. To be called before `stop`. */
  drain(): Promise<void> {
    for (const forward of this.#forwards) forward.close();
    this.#requests.close('shutting-down');
    this.#ports.close('shutting-down');
    return waitUntilIdle(this.#clock, () => this.#tunnels.tunnels);
  }

  /**
   * Tells all peers that we end and do not come back; those as upstream do not learn it. Resolves when they have disconnected, or after
   * a second. To be called before `stop`.
   */
  async tellEnd(reason: Reason): Promise<void> {
    const told = [...this.#links.values()].filter((link) => link.sendEnd(reason));
    await waitUntilClosed(this.#clock, told, this.#linksClosed);
  }

  /** Closes all listeners, tunnels and links. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    for (const forward of this.#forwards) forward.close();
    this.#forwards.clear();
    this.#requests.stop();
    this.#ports.close('shutting-down');
    for (const tunnel of this.#tunnels.tunnels) tunnel.close('shutting-down');
    for (const link of [...this.#links.values()]) link.close('shutting-down');
    for (const opener of this.#openers.values()) opener.close('shutting-down');
    this.#floodLog.close();
  }

  get #used(): number {
    let used = this.#tunnels.size + this.#requests.size + this.#ports.pending;
    for (const forward of this.#forwards) used += forward.pending;
    return used;
  }

  /** Why a peer may have no other tunnel; undefined when it may. */
  #refusalFor(peerId: string): string | undefined {
    const { maxTunnels } = this.#limitsOf(peerId);
    const dials = this.#requests.dialsOf(peerId) + this.#ports.pendingOf(peerId);
    if (maxTunnels !== undefined && this.#tunnels.countOf(peerId) + dials >= maxTunnels)
      return `this client may have ${countText(maxTunnels, 'tunnel')} (--max-tunnels)`;
    const own = this.#tunnelCounts.of(peerId) + dials;
    if (own >= MAX_TUNNELS) return `this client has ${own} connections, some of them from its earlier sessions`;
    return quotaRefusal(own, { limit: this.#limit, used: this.#used });
  }

  #forgetIfGone(peerId: string): void {
    if (!this.#links.has(peerId) && this.#tunnelCounts.of(peerId) === 0) this.#rates.forget(peerId);
  }

  #onLinkClosed(link: PeerLink): void {
    const { peerId, staleIds } = link;
    if (this.#links.get(peerId) === link) this.#links.delete(peerId);
    if (staleIds.length > 0) this.#staleIds.set(peerId, staleIds);
    this.#openers.get(peerId)?.onLinkClosed(link);
    this.#ports.onLinkClosed(link);
    this.#linksClosed.tell(link);
    this.#forgetIfGone(peerId);
  }

  #onTunnelOpened(peerId: string, tunnel: CarriedTunnel): void {
    this.#tunnelCounts.add(peerId, 1);
    const { side, target } = tunnel.identity;
    const asked = side === 'acceptor' ? this.#remoteForwards.wanted(peerId, target) : undefined;
    const listener = asked ?? this.#ports.find(peerId, reverseIdOf(target) ?? -1);
    const info = this.#tunnels.add(tunnel, { peerId, listener, number: this.#acceptedNumber });
    this.#remoteForwards.onTunnelOpened(tunnel);
    this.#tunnelLog.opened(info);
    this.emit('opened', info);
  }

  #onTunnelClosed(tunnel: CarriedTunnel, reason: Reason | undefined): void {
    const info = this.#tunnels.remove(tunnel);
    this.#remoteForwards.onTunnelClosed(tunnel);
    this.#tunnelCounts.add(info.peerId, -1);
    this.#forgetIfGone(info.peerId);
    this.#tunnelLog.ended(info, reason);
    this.emit('closed', info, reason);
  }

  /** Closes the slowest tunnel of an upstream peer above its bound (windows bound the others), or of the peer with the most bytes. */
  #onBacklog(peerId: string, change: number): void {
    this.#backlogs.add(peerId, change);
    if (this.#backlogs.of(peerId) > MAX_BACKLOG) this.#tunnels.slowestOf(peerId)?.close('overflow');
    else if (this.#backlogs.total > MAX_ALL_BACKLOG) this.#tunnels.slowestOf(this.#backlogs.highest)?.close('overflow');
  }
}
