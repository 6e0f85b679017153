/** This process as a client: its requests to peers, online or not, and its forwards, which stay while channels come and go. */
import type { Clock } from '../../base/clock.js';
import type { FloodLog } from '../../base/flood-log.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { PeerLinks } from '../link/peer-links.js';
import type { CarriedTunnel } from '../stream/tunnel.js';
import type { ListenPlace } from '../wire/listen.js';
import type { Target } from '../wire/target.js';
import type { Forward, ForwardSpec } from './forward-spec.js';
import { openForward } from './open-forward.js';
import { type Opener, PeerOpener } from './peer-opener.js';
import type { ExplainRefusal } from './remote-forward.js';
import { type Destination, type Dialer, RemoteForwards } from './remote-forwards.js';

interface TunnelClientDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly floodLog: FloodLog;
  readonly links: PeerLinks;
  readonly dialer: Dialer;
  /** Whether the process may have another connection. */
  readonly hasRoom: () => boolean;
}

export class TunnelClient {
  readonly #deps: TunnelClientDeps;
  readonly #openers = new Map<string, PeerOpener>();
  readonly #forwards = new Set<Forward>();
  readonly #remoteForwards: RemoteForwards;
  #isStopped = false;

  constructor(deps: TunnelClientDeps) {
    this.#deps = deps;
    const { links } = deps;
    links.opened.add((link) => this.#openers.get(link.peerId)?.onLink(link));
    links.closed.add((link) => this.#openers.get(link.peerId)?.onLinkClosed(link));
    this.#remoteForwards = new RemoteForwards(deps);
  }

  /** Connections of forwards without a tunnel yet. */
  get pending(): number {
    let pending = 0;
    for (const forward of this.#forwards) pending += forward.pending;
    return pending;
  }

  opener(peerId: string): Opener {
    let opener = this.#openers.get(peerId);
    if (opener === undefined) {
      opener = new PeerOpener(this.#deps.clock);
      this.#openers.set(peerId, opener);
      const link = this.#deps.links.find(peerId);
      if (link !== undefined) opener.onLink(link);
    }
    return opener;
  }

  /** See TunnelService. @throws ListenError */
  async forward(peerId: string, spec: ForwardSpec, explain?: ExplainRefusal): Promise<Forward> {
    const { clock, floodLog, hasRoom, log } = this.#deps;
    const onClosed = (): void => void this.#forwards.delete(forward);
    const forward: Forward =
      spec.kind === 'reverse'
        ? this.#remoteForwards.open(peerId, spec, { explain, onClosed })
        : await openForward({ clock, opener: this.opener(peerId), log, floodLog, hasRoom, onClosed }, spec);
    if (this.#isStopped) forward.close();
    else this.#forwards.add(forward);
    return forward;
  }

  /** Where the connection came in for which a peer requests a tunnel, because we asked for the port. */
  portOf(peerId: string, requested: Target): ListenPlace | undefined {
    return this.#remoteForwards.wanted(peerId, requested);
  }

  /** What a request of a peer leads to; undefined if it is about none of our ports. */
  destinationOf(peerId: string, requested: Target): Destination | undefined {
    return this.#remoteForwards.destinationOf(peerId, requested);
  }

  onTunnelOpened(tunnel: CarriedTunnel): void {
    this.#remoteForwards.onTunnelOpened(tunnel);
  }

  onTunnelClosed(tunnel: CarriedTunnel): void {
    this.#remoteForwards.onTunnelClosed(tunnel);
  }

  /** Closes all forwards. Tunnels stay. */
  closeForwards(): void {
    for (const forward of this.#forwards) forward.close();
  }

  /** Closes all forwards, and refuses the requests that wait for a peer. */
  stop(): void {
    this.#isStopped = true;
    this.closeForwards();
    this.#forwards.clear();
    for (const opener of this.#openers.values()) opener.close('shutting-down');
  }
}
