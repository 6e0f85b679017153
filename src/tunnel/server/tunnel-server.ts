/** This process as a server: the targets and ports that its peers ask for, within their limits. */
import type { Clock } from '../../base/clock.js';
import { Listeners } from '../../base/listeners.js';
import { countText } from '../../base/units.js';
import type { LinkHandlers, PeerLink } from '../link/peer-link.js';
import type { PeerLinks } from '../link/peer-links.js';
import type { PeerLog } from '../link/peer-log.js';
import { roleOf, type TunnelInfo, type TunnelList } from '../link/tunnel-list.js';
import { MAX_TUNNELS } from '../link/tunnel-table.js';
import { type ListenPlace, reverseIdOf } from '../wire/listen.js';
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';
import { type ClientPortInfo, ClientPorts, type OpenPort } from './client-ports.js';
import { type DescriptorUse, quotaRefusal } from './descriptor-quota.js';
import type { Dialer } from './dialer.js';
import { PeerRates } from './peer-limits.js';
import { RequestHandler } from './request-handler.js';
import type { ServerPolicy } from './server-policy.js';

interface TunnelServerDeps {
  readonly clock: Clock;
  readonly log: PeerLog;
  readonly links: PeerLinks;
  readonly tunnels: TunnelList;
  readonly dialer: Dialer;
  readonly openPort: OpenPort;
  /** Descriptors of this process for tunnels, and for connections that may become tunnels. */
  readonly descriptors: () => DescriptorUse;
}

export class TunnelServer {
  /** A request was refused; `detail` is for the owner. */
  readonly refused = new Listeners<[peerId: string, target: Target, reason: Reason, detail: string]>();
  /** A port was not opened. */
  readonly portRefused = new Listeners<[peerId: string, place: ListenPlace, reason: Reason, detail: string]>();
  readonly #deps: TunnelServerDeps;
  readonly #policy: ServerPolicy;
  readonly #requests: RequestHandler;
  readonly #ports: ClientPorts;
  readonly #rates: PeerRates;

  constructor(deps: TunnelServerDeps, policy: ServerPolicy) {
    const { clock, dialer, links, log, openPort, tunnels } = deps;
    const { limitsOf, mayListen, mayReach } = policy;
    this.#deps = deps;
    this.#policy = policy;
    this.#rates = new PeerRates(clock, limitsOf);
    const nextNumber = (): number => tunnels.nextNumber();
    this.#requests = new RequestHandler({ clock, dialer, mayReach, log, nextNumber, refused: this.refused });
    const ofPort = {
      nextNumber,
      whyFull: (peerId: string) => this.#whyFull(peerId),
      close: (peerId: string, forwardId: number, reason: Reason) => {
        for (const tunnel of tunnels.of(peerId, 'client'))
          if (reverseIdOf(tunnel.identity.target) === forwardId) tunnel.close(reason);
      },
    };
    this.#ports = new ClientPorts({ clock, log, mayListen, openPort, tunnels: ofPort, refused: this.portRefused });
    links.closed.add((link) => {
      this.#ports.onLinkClosed(link);
      this.#forgetIfGone(link.peerId);
    });
  }

  /** Targets that are being connected to, and connections without a tunnel yet. */
  get pending(): number {
    return this.#requests.size + this.#ports.pending;
  }

  /** Handles what a peer asks for. */
  handlersOf(
    link: PeerLink,
  ): Required<Pick<LinkHandlers, 'services' | 'limits' | 'onListen' | 'onUnlisten' | 'onRequest'>> {
    const { peerId } = link;
    return {
      services: () => this.#policy.servicesFor(peerId),
      limits: (identity) => (roleOf(identity) === 'client' ? this.#rates.of(peerId) : undefined),
      onListen: (forwardId, place) => this.#ports.open(link, forwardId, place),
      onUnlisten: (forwardId) => this.#ports.release(link, forwardId),
      onRequest: (request) => this.#requests.handle(request, this.#whyFull(peerId)),
    };
  }

  onTunnelClosed({ peerId }: TunnelInfo): void {
    this.#forgetIfGone(peerId);
  }

  /** The port that a tunnel to a peer comes from, if it is one. */
  portOf(peerId: string, target: Target): ListenPlace | undefined {
    return this.#ports.find(peerId, reverseIdOf(target) ?? -1);
  }

  openPorts(): ClientPortInfo[] {
    return this.#ports.list();
  }

  connecting(): Pick<TunnelInfo, 'number' | 'peerId' | 'target' | 'age'>[] {
    return this.#requests.list();
  }

  /** See TunnelService. */
  review(): void {
    const { links, tunnels } = this.#deps;
    this.#ports.review();
    for (const { number, peerId, peerRole, listener } of tunnels.list()) {
      if (peerRole !== 'client' || listener === undefined || this.#policy.mayListen(peerId, listener).allowed) continue;
      tunnels.find(number)?.close('not-allowed');
    }
    this.#rates.update();
    for (const link of links.all) {
      const { maxTunnels } = this.#policy.limitsOf(link.peerId);
      const excess = maxTunnels === undefined ? [] : tunnels.of(link.peerId, 'client').slice(maxTunnels);
      for (const tunnel of excess) tunnel.close('too-many-tunnels');
      link.announceServices();
    }
  }

  /** Ends the port, or the request, that has a number. @returns false when there is none */
  end(number: number, reason: Reason): boolean {
    if (this.#ports.end(reason, (port) => port.number === number)) return true;
    return this.#requests.refuse(reason, (_, requestNumber) => requestNumber === number);
  }

  /** Ends the ports and requests of a peer. */
  endPeer(peerId: string, reason: Reason): void {
    this.#ports.end(reason, (port) => port.peerId === peerId);
    this.#requests.refuse(reason, (requestPeer) => requestPeer === peerId);
  }

  /** Refuses all requests, and those that come from now on; closes the ports. Tunnels stay. */
  close(reason: Reason): void {
    this.#requests.close(reason);
    this.#ports.close(reason);
  }

  /** As `close`, but the requests stay unanswered. */
  stop(reason: Reason): void {
    this.#requests.stop();
    this.#ports.close(reason);
  }

  /** Why a peer may have no other tunnel; undefined when it may. */
  #whyFull(peerId: string): string | undefined {
    const { tunnels } = this.#deps;
    const { maxTunnels } = this.#policy.limitsOf(peerId);
    const dials = this.#requests.dialsOf(peerId) + this.#ports.pendingOf(peerId);
    if (maxTunnels !== undefined && tunnels.countOf(peerId, 'client') + dials >= maxTunnels)
      return `this client may have ${countText(maxTunnels, 'tunnel')} (--max-tunnels)`;
    const own = tunnels.countOf(peerId) + dials;
    if (own >= MAX_TUNNELS) return `this client has ${own} connections, some of them from its earlier sessions`;
    return quotaRefusal(own, this.#deps.descriptors());
  }

  #forgetIfGone(peerId: string): void {
    const { links, tunnels } = this.#deps;
    if (links.find(peerId) === undefined && tunnels.countOf(peerId) === 0) this.#rates.forget(peerId);
  }
}
