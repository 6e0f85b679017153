/** The -R forwards of all peers, which tunnels are theirs, and what the requests of those lead to. */
import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.js';
import type { FloodLog } from '../../base/flood-log.js';
import { placeText } from '../../base/local-place.js';
import type { Random } from '../../base/random.js';
import type { PeerLinks } from '../link/peer-links.js';
import type { WantedPort } from '../link/port-requests.js';
import { ProxyUsers } from '../socks/proxy-users.js';
import type { DatagramEnd } from '../stream/datagram-end.js';
import type { LocalEnd } from '../stream/local-end.js';
import type { CarriedTunnel } from '../stream/tunnel.js';
import { reverseIdOf } from '../wire/listen.js';
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';
import { describeForward, type ReverseSpec } from './forward-spec.js';
import { proxyEnd } from './proxy-end.js';
import { type ExplainRefusal, RemoteForward } from './remote-forward.js';

/** What the forwards need of a dialer (tunnel/server). */
export interface Dialer {
  dial(
    peerId: string,
    target: Target,
    handlers: {
      mayConnect(address: string): boolean;
      onConnected(connected: Socket | DatagramEnd): void;
      onFailed(reason: Reason): void;
    },
  ): () => void;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  /** For lines that the programs at a port cause. */
  readonly floodLog: FloodLog;
  readonly dialer: Dialer;
  readonly links: PeerLinks;
}

/** What a request of the peer leads to: a target, unless the program names it. */
export interface Destination {
  readonly allowed: true;
  readonly target: Target;
  /** Makes the local end that takes the place of a connection to the target. */
  readonly serve: (() => LocalEnd) | undefined;
}

export class RemoteForwards {
  readonly #deps: Deps;
  /** By their targets, which are the destinations of their tunnels. */
  readonly #forwards = new Map<Target, RemoteForward>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** @param explain why the peer does not listen */
  open(
    peerId: string,
    spec: ReverseSpec,
    { explain, onClosed }: { readonly explain: ExplainRefusal | undefined; readonly onClosed: () => void },
  ): RemoteForward {
    const { clock, random, links } = this.#deps;
    const forward: RemoteForward = new RemoteForward(
      {
        clock,
        random,
        explain,
        links: {
          present: links.find(peerId)?.ports,
          onNext: (listener) => links.opened.add((link) => link.peerId === peerId && listener(link.ports)),
        },
        onClosed: () => {
          this.#forwards.delete(forward.target);
          onClosed();
        },
      },
      { spec },
    );
    this.#forwards.set(forward.target, forward);
    return forward;
  }

  /** The port of a peer from which it requests a tunnel, because we asked for it. */
  wanted(peerId: string, target: Target): WantedPort | undefined {
    const forwardId = reverseIdOf(target);
    return forwardId === undefined ? undefined : this.#deps.links.find(peerId)?.ports.find(forwardId);
  }

  /** @returns undefined if the request is about none of our ports */
  destinationOf(peerId: string, requested: Target): Destination | undefined {
    const target = this.wanted(peerId, requested)?.target;
    if (target === undefined) return undefined;
    const forward = this.#forwards.get(target);
    const serve =
      forward === undefined || forward.spec.target !== undefined ? undefined : () => this.#proxy(peerId, forward);
    return { allowed: true, target, serve };
  }

  onTunnelOpened(tunnel: CarriedTunnel): void {
    this.#of(tunnel)?.onTunnelOpened(tunnel);
  }

  onTunnelClosed(tunnel: CarriedTunnel): void {
    this.#of(tunnel)?.onTunnelClosed(tunnel);
  }

  #of({ identity: { destination } }: CarriedTunnel): RemoteForward | undefined {
    return destination === undefined ? undefined : this.#forwards.get(destination);
  }

  #proxy(peerId: string, { spec, at }: RemoteForward): LocalEnd {
    const { clock, dialer, floodLog } = this.#deps;
    const [source, name] = [describeForward(spec), `${placeText(at)} of the server`];
    return proxyEnd({
      clock,
      users: spec.users === undefined ? undefined : new ProxyUsers(spec.users),
      dial: (target, { onConnected, onFailed }) =>
        dialer.dial(peerId, target, {
          // Who opens such a port lets its programs reach what this machine reaches.
          mayConnect: () => true,
          // Programs name targets of TCP alone.
          onConnected: (connected) => onConnected(connected as Socket),
          onFailed,
        }),
      onRefused: (why) => {
        const text = `${name}: a program was refused: ${why}`;
        floodLog.say({ source, name, kind: 'connection refused', level: 'warn', text });
      },
    });
  }
}
