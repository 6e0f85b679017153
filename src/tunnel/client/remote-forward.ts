/**
 * -R: a port of the peer, whose connections lead to a target of this machine. The peer is asked for it in each session, and again
 * while it refuses: another program may have the port, or the owner may not have allowed it yet.
 */
import { Backoff } from '../../base/backoff.js';
import type { Clock, Timer } from '../../base/clock.js';
import { placeText } from '../../base/local-place.js';
import type { Random } from '../../base/random.js';
import type { PortRequests } from '../link/port-requests.js';
import type { CarriedTunnel } from '../stream/tunnel.js';
import { explainReason, type Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';
import type { Forward, ForwardTraffic, ReverseSpec } from './forward-spec.js';
import { PortStatus } from './port-status.js';
import { TrafficSum } from './traffic-sum.js';

/** ms between attempts while the peer refuses. */
const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 30_000;
/** ms for which a port was open, after which its end is no refusal: a peer could open and close it all the time. */
const LASTING = 60_000;

/** What stands for the targets that programs name. */
const PROXY: Target = { host: '?proxy', port: 0 };

/** The links to the peer, one after another. */
export interface Links {
  readonly present: Pick<PortRequests, 'ask'> | undefined;
  /** @returns a function that removes the listener */
  onNext(listener: (ports: Pick<PortRequests, 'ask'>) => void): () => void;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly links: Links;
  /** Explains a refusal. */
  readonly explain?: ExplainRefusal | undefined;
  readonly onClosed?: () => void;
}

export type ExplainRefusal = (reason: Reason, at: ReverseSpec['at']) => string;

export class RemoteForward implements Forward {
  readonly spec: ReverseSpec;
  /** An object of its own, by which its tunnels are known: it is their destination. */
  readonly target: Target;
  readonly remote = new PortStatus();
  readonly #deps: Deps;
  readonly #retries: Backoff;
  readonly #sum = new TrafficSum<CarriedTunnel>((tunnel) => tunnel);
  readonly #stopFollowing: () => void;
  /** The port that the peer had last: where it may choose one, it is asked for the same again. */
  #lastPort: number | undefined;
  #cancel: () => void = () => {};
  #retry: Timer | undefined;
  /** ms of the clock; undefined while the peer does not listen. */
  #listeningSince: number | undefined;
  #isClosed = false;

  constructor(deps: Deps, options: { readonly spec: ReverseSpec }) {
    this.spec = options.spec;
    this.target = { ...(options.spec.target ?? PROXY) };
    this.#deps = deps;
    this.#retries = new Backoff(deps.random, { first: FIRST_RETRY, most: LONGEST_RETRY });
    this.#stopFollowing = deps.links.onNext((ports) => this.#ask(ports));
    if (deps.links.present !== undefined) this.#ask(deps.links.present);
  }

  get at(): ReverseSpec['at'] {
    return { ...this.spec.at, port: this.port };
  }

  get port(): number {
    return this.#lastPort ?? this.spec.at.port;
  }

  /** Connections wait at the peer. */
  get pending(): number {
    return 0;
  }

  get traffic(): ForwardTraffic {
    return this.#sum.traffic;
  }

  onTunnelOpened(tunnel: CarriedTunnel): void {
    this.#sum.begin(tunnel);
    this.remote.noteTraffic();
  }

  onTunnelClosed(tunnel: CarriedTunnel): void {
    if (this.#sum.end(tunnel)) this.remote.noteTraffic();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopFollowing();
    this.#retry?.cancel();
    this.#cancel();
    this.#deps.onClosed?.();
  }

  abort(): void {
    this.close();
    for (const tunnel of [...this.#sum.open]) tunnel.close('closed-by-owner');
  }

  #ask(ports: Pick<PortRequests, 'ask'>, wanted = this.port): void {
    if (this.#isClosed) return;
    this.#retry?.cancel();
    const { bind, port } = this.spec.at;
    this.#cancel = ports.ask(
      { bind, port: wanted, target: this.target },
      {
        onListening: (chosen) => this.#onListening(chosen),
        onEnded: (reason) => {
          // The port that the peer chose before may belong to another program by now.
          if (reason === 'address-in-use' && wanted !== port) this.#ask(ports, port);
          else this.#onEnded(reason, ports);
        },
      },
    );
  }

  #onListening(port: number): void {
    this.#lastPort = port;
    this.#listeningSince = this.#deps.clock.now();
    this.remote.change({ kind: 'listening', port });
  }

  #onEnded(reason: Reason, ports: Pick<PortRequests, 'ask'>): void {
    this.#cancel = () => {};
    const now = this.#deps.clock.now();
    if (now - (this.#listeningSince ?? now) >= LASTING) this.#retries.reset();
    this.#listeningSince = undefined;
    if (this.#isClosed) return;
    if (reason === 'connection-lost') {
      this.remote.change({ kind: 'asking' });
      return;
    }
    const { clock, explain = explainReason } = this.#deps;
    const message = `${placeText(this.at)} of the server: ${explain(reason, this.at)}`;
    this.remote.change({ kind: 'refused', code: reason, message });
    // The owner wants it closed; in the next session it is asked for again. An original tuntox will not learn it.
    if (reason === 'closed-by-owner' || reason === 'no-reverse') return;
    this.#retry = clock.after(this.#retries.next(), () => this.#ask(ports));
  }
}
