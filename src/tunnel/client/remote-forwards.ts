/** The -R forwards of all peers, and which tunnels are theirs. */
import type { Clock } from '../../base/clock.js';
import type { Listeners } from '../../base/listeners.js';
import type { Random } from '../../base/random.js';
import type { PeerLink } from '../link/peer-link.js';
import type { CarriedTunnel } from '../stream/tunnel.js';
import type { Target } from '../wire/target.js';
import type { ReverseSpec } from './forward-spec.js';
import { type ExplainRefusal, RemoteForward } from './remote-forward.js';

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly linkTo: (peerId: string) => PeerLink | undefined;
  readonly linksOpened: Listeners<[link: PeerLink]>;
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
    const { linkTo, linksOpened, ...deps } = this.#deps;
    const forward: RemoteForward = new RemoteForward(
      {
        ...{ ...deps, explain },
        links: {
          present: linkTo(peerId)?.ports,
          onNext: (listener) => linksOpened.add((link) => link.peerId === peerId && listener(link.ports)),
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

  onTunnelOpened(tunnel: CarriedTunnel): void {
    this.#of(tunnel)?.onTunnelOpened(tunnel);
  }

  onTunnelClosed(tunnel: CarriedTunnel): void {
    this.#of(tunnel)?.onTunnelClosed(tunnel);
  }

  #of({ identity: { destination } }: CarriedTunnel): RemoteForward | undefined {
    return destination === undefined ? undefined : this.#forwards.get(destination);
  }
}
