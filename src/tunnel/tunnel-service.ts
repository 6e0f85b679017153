/** Tunnels of one running identity with all its peers: it is a client of some, a server to others, or both to one. */
import { EventEmitter } from 'node:events';
import type { Clock } from '../base/clock.js';
import { descriptorShares } from '../base/descriptor-shares.js';
import { FloodLog } from '../base/flood-log.js';
import { demoted, type Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Forward, ForwardSpec } from './client/forward-spec.js';
import { LocalForward } from './client/local-forward.js';
import type { Opener } from './client/peer-opener.js';
import type { ExplainRefusal } from './client/remote-forward.js';
import { TunnelClient } from './client/tunnel-client.js';
import { waitUntilClosed, waitUntilIdle } from './drain.js';
import type { LinkHandlers, PeerLink } from './link/peer-link.js';
import { PeerLinks } from './link/peer-links.js';
import { PeerLog } from './link/peer-log.js';
import { type PeerRole, type TunnelInfo, TunnelList } from './link/tunnel-list.js';
import type { ClientPortInfo, OpenPort } from './server/client-ports.js';
import type { DescriptorUse } from './server/descriptor-quota.js';
import type { Dialer } from './server/dialer.js';
import { NO_ACCESS, type ServerPolicy } from './server/server-policy.js';
import { targetDialer } from './server/target-dialer.js';
import { TunnelServer } from './server/tunnel-server.js';
import type { CarriedTunnel } from './stream/tunnel.js';
import { TunnelLog } from './tunnel-log.js';
import { type ListenPlace, reverseTarget } from './wire/listen.js';
import type { PeerChannel } from './wire/peer-channel.js';
import type { Reason } from './wire/reasons.js';
import type { Target } from './wire/target.js';

/** Tunnels of all peers, if there are so many descriptors: BASE_WINDOW of memory each. */
const MAX_ALL_TUNNELS = 8192;

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

interface TunnelServiceDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** What is missing is as in NO_ACCESS. */
  readonly policy?: Partial<ServerPolicy>;
  /** The name of a peer in the log; by default the beginning of its key. */
  readonly nameOf?: ((peerId: string) => string) | undefined;
  readonly dialer?: Dialer | undefined;
  /** Number that all tunnels together may have. */
  readonly descriptors?: number;
}

export class TunnelService extends EventEmitter<TunnelEvents> {
  readonly links: PeerLinks;
  readonly #clock: Clock;
  readonly #floodLog: FloodLog;
  readonly #tunnelLog: TunnelLog;
  readonly #tunnels: TunnelList;
  readonly #client: TunnelClient;
  readonly #server: TunnelServer;
  #isStopped = false;

  constructor(deps: TunnelServiceDeps) {
    super();
    const { clock, random, log, nameOf = (peerId) => peerId.slice(0, 8) } = deps;
    const policy = { ...NO_ACCESS, ...deps.policy };
    const dialer = deps.dialer ?? targetDialer(clock, policy);
    const limit = Math.min(MAX_ALL_TUNNELS, deps.descriptors ?? descriptorShares().tunnels);
    const descriptors = (): DescriptorUse => {
      return { limit, used: tunnels.size + server.pending + client.pending };
    };
    const hasRoom = (): boolean => descriptors().used < limit;
    const floodLog = new FloodLog(deps);
    const peerLog = new PeerLog(floodLog, nameOf);
    const tunnels = new TunnelList(clock);
    const links = new PeerLinks({ clock, random, log, handlersOf: (link) => this.#handlersOf(link) });
    const client = new TunnelClient({ clock, random, log, floodLog, links, dialer, hasRoom });
    const mayReach: ServerPolicy['mayReach'] = (peerId, target, reached) =>
      client.destinationOf(peerId, target) ?? policy.mayReach(peerId, target, reached);
    const openPort: OpenPort = (link, { forwardId, place, whyFull }) =>
      new LocalForward(
        { clock, opener: link, log: demoted(log, 'info'), floodLog, hasRoom: () => whyFull() === undefined },
        { spec: { kind: 'local', at: { kind: 'port', ...place }, target: reverseTarget(forwardId) }, whyFull },
      );
    const server = new TunnelServer(
      { clock, log: peerLog, links, tunnels, dialer, openPort, descriptors },
      { ...policy, mayReach },
    );
    server.refused.add((...refusal) => this.emit('refused', ...refusal));
    server.portRefused.add((...refusal) => this.emit('port-refused', ...refusal));
    this.#clock = clock;
    this.#floodLog = floodLog;
    this.#tunnelLog = new TunnelLog(log, peerLog);
    this.#tunnels = tunnels;
    this.links = links;
    this.#client = client;
    this.#server = server;
  }

  /**
   * Uses the channel of a peer that has come online, once. Its earlier channel, if there is one, counts as closed.
   * @param options.isServer whether the peer is a server: it is told at once that we have the extension, so that it can tell us its end
   */
  attach(channel: PeerChannel, { isServer = false }: { readonly isServer?: boolean } = {}): void {
    if (!this.#isStopped) this.links.attach(channel, isServer);
  }

  /** Requests tunnels to a peer, whether it is online or not. */
  opener(peerId: string): Opener {
    return this.#client.opener(peerId);
  }

  /** Listens at a local place, or has the peer listen. @param explain why the peer does not @throws ListenError */
  forward(peerId: string, spec: ForwardSpec, explain?: ExplainRefusal): Promise<Forward> {
    return this.#client.forward(peerId, spec, explain);
  }

  /**
   * Called when what peers may do has changed: closes the ports that they may not have any more with all connections that came in there,
   * applies their limits, and sends each the services that it may reach now.
   */
  review(): void {
    this.#server.review();
  }

  list(): TunnelInfo[] {
    return this.#tunnels.list();
  }

  /** Ports that are open for clients. */
  openPorts(): ClientPortInfo[] {
    return this.#server.openPorts();
  }

  /** Requests of peers whose targets are being connected to. A tunnel keeps the number of its request. */
  connecting(): Pick<TunnelInfo, 'number' | 'peerId' | 'target' | 'age'>[] {
    return this.#server.connecting();
  }

  /** @returns false when neither a tunnel, a request nor a listener has the number */
  closeTunnel(number: number): boolean {
    const tunnel = this.#tunnels.find(number);
    tunnel?.close('closed-by-owner');
    return tunnel !== undefined || this.#server.end(number, 'closed-by-owner');
  }

  /** Breaks the tunnels that a peer has as a client of ours, or as a server, at once. The channel stays open, for the caller to close. */
  closePeer(peerId: string, role: PeerRole, reason: Reason = 'closed-by-owner'): void {
    for (const tunnel of this.#tunnels.of(peerId, role)) tunnel.close(reason);
    if (role === 'client') this.#server.endPeer(peerId, reason);
  }

  /** Takes no new tunnels; resolves once the tunnels are idle, or after 10 s. To be called before `stop`. */
  drain(): Promise<void> {
    this.#client.closeForwards();
    this.#server.close('shutting-down');
    return waitUntilIdle(this.#clock, () => this.#tunnels.tunnels);
  }

  /**
   * Tells all peers that we end and do not come back; those as upstream do not learn it. Resolves when they have disconnected, or after
   * a second. To be called before `stop`.
   */
  async tellEnd(reason: Reason): Promise<void> {
    const told = this.links.all.filter((link) => link.sendEnd(reason));
    await waitUntilClosed(this.#clock, told, this.links.closed);
  }

  /** Closes all listeners, tunnels and links. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#client.stop();
    this.#server.stop('shutting-down');
    for (const tunnel of this.#tunnels.tunnels) tunnel.close('shutting-down');
    this.links.close('shutting-down');
    this.#floodLog.close();
  }

  #handlersOf(link: PeerLink): Omit<LinkHandlers, 'onClose'> {
    const { peerId } = link;
    return {
      ...this.#server.handlersOf(link),
      onEnd: (reason) => this.emit('ended', peerId, reason),
      onTunnelOpened: (tunnel) => this.#onTunnelOpened(peerId, tunnel),
      onTunnelClosed: (tunnel, reason) => this.#onTunnelClosed(tunnel, reason),
      onBacklog: (change) => this.#tunnels.onBacklog(peerId, change),
    };
  }

  #onTunnelOpened(peerId: string, tunnel: CarriedTunnel): void {
    const { side, target } = tunnel.identity;
    const asked = side === 'acceptor' ? this.#client.portOf(peerId, target) : undefined;
    const info = this.#tunnels.add(tunnel, { peerId, listener: asked ?? this.#server.portOf(peerId, target) });
    this.#client.onTunnelOpened(tunnel);
    this.#tunnelLog.opened(info);
    this.emit('opened', info);
  }

  #onTunnelClosed(tunnel: CarriedTunnel, reason: Reason | undefined): void {
    const info = this.#tunnels.remove(tunnel);
    this.#client.onTunnelClosed(tunnel);
    this.#server.onTunnelClosed(info);
    this.#tunnelLog.ended(info, reason);
    this.emit('closed', info, reason);
  }
}
