/**
 * UDP targets. There is no connection to wait for: a session begins with the first address of the target that is allowed. Where that
 * one refuses before anything came from it, the next one has its turn, since a program may listen on one of two families alone.
 */
import type { Clock } from '../../base/clock.js';
import { systemCodeOf } from '../../base/coded-error.js';
import { LruMap } from '../../base/lru-map.js';
import { ConnectedUdp, type UdpAddress } from '../datagram/udp-socket.js';
import type { DatagramEnd, DatagramHandlers } from '../stream/datagram-end.js';
import type { Target } from '../wire/target.js';
import { sourceFor } from './client-source.js';
import { CONNECT_TIMEOUT, type Dialer, type DialHandlers, reasonOf } from './dialer.js';
import { TargetLookup, type TargetLookupDeps } from './target-lookup.js';

/** Targets of clients whose last port is remembered. */
const MAX_PORTS = 512;

export class UdpDialer implements Dialer {
  readonly #clock: Clock;
  readonly #lookup: TargetLookup;
  /**
   * The port of the last session of each client with a target on loopback: the next one has it again, so that a program that speaks with
   * one peer, such as socat, goes on with it. Elsewhere each has a new one, which makes answers hard to forge.
   */
  readonly #ports = new LruMap<string, number>(MAX_PORTS);

  constructor(clock: Clock, deps: TargetLookupDeps = {}) {
    this.#clock = clock;
    this.#lookup = new TargetLookup(clock, deps);
  }

  dial(peerId: string, { host, port }: Target, handlers: DialHandlers): () => void {
    let session: UdpSession | undefined;
    const cancel = (): void => {
      timeout.cancel();
      cancelLookup();
      session?.destroy();
    };
    const onFailed: DialHandlers['onFailed'] = (...failure) => {
      cancel();
      handlers.onFailed(...failure);
    };
    const timeout = this.#clock.after(CONNECT_TIMEOUT, () => onFailed('timeout'));
    const mayConnect = (address: string): boolean => handlers.mayConnect(address);
    const cancelLookup = this.#lookup.find(peerId, host, { mayConnect, onFailed }, (found, source) => {
      timeout.cancel();
      const key = `${peerId} ${host} ${port}`;
      const addresses = found.map(({ address }) => address);
      const onOver = (localPort: number): void => void this.#ports.set(key, localPort);
      session = new UdpSession(addresses, { port, source, lastPort: this.#ports.get(key) }, { ...handlers, onOver });
    });
    return cancel;
  }
}

interface Place {
  readonly port: number;
  /** From where addresses of IPv4 on loopback are sent to; undefined: from where the system chooses. */
  readonly source: string | undefined;
  readonly lastPort: number | undefined;
}

interface SessionHandlers extends DialHandlers {
  /** @param localPort of a session with a target on loopback */
  onOver(localPort: number): void;
}

class UdpSession implements DatagramEnd {
  readonly #place: Place;
  readonly #dialHandlers: SessionHandlers;
  #address: string;
  /** Those that are left when this one refuses. */
  #others: readonly string[];
  #socket: ConnectedUdp;
  #handlers: DatagramHandlers | undefined;
  /** The last datagram, for the next address. */
  #unanswered: Buffer | undefined;
  #state: 'connecting' | 'open' | 'over' = 'connecting';

  /** @param addresses literal, at least one */
  constructor(addresses: readonly string[], place: Place, handlers: SessionHandlers) {
    [this.#address = '', ...this.#others] = addresses;
    this.#place = place;
    this.#dialHandlers = handlers;
    this.#socket = this.#connect();
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  get remoteAddress(): string | undefined {
    return this.#state === 'over' ? undefined : this.#address;
  }

  start(handlers: DatagramHandlers): void {
    this.#handlers = handlers;
  }

  send(bytes: Buffer): void {
    if (this.#others.length > 0) this.#unanswered = bytes;
    this.#socket.send(bytes);
  }

  reset(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#state === 'open' && this.#from !== undefined) this.#dialHandlers.onOver(this.#socket.localPort ?? 0);
    this.#state = 'over';
    this.#socket.close();
  }

  /** Undefined for a target elsewhere. */
  get #from(): UdpAddress | undefined {
    const { lastPort: port = 0 } = this.#place;
    if (this.#address === '::1') return { address: '::1', port };
    const source = sourceFor(this.#address, this.#place.source ?? '127.0.0.1');
    return source === undefined ? undefined : { address: source, port };
  }

  #connect(): ConnectedUdp {
    return new ConnectedUdp(
      { address: this.#address, port: this.#place.port, from: this.#from },
      {
        onConnected: () => this.#onConnected(),
        onDatagram: (bytes) => {
          // From now on the session is with this address alone.
          this.#others = [];
          this.#unanswered = undefined;
          this.#handlers?.onDatagram(bytes);
        },
        onError: (error) => this.#onError(error),
      },
    );
  }

  #onConnected(): void {
    const isFirst = this.#state === 'connecting';
    this.#state = 'open';
    if (isFirst) this.#dialHandlers.onConnected(this, this.#address);
    else if (this.#unanswered !== undefined) this.#socket.send(this.#unanswered);
  }

  #onError(error: Error): void {
    // What may be reached may have changed since the name was resolved.
    const [next, ...others] = this.#others.filter((address) => this.#dialHandlers.mayConnect(address));
    this.#socket.close();
    if (next !== undefined) {
      this.#address = next;
      this.#others = others;
      this.#socket = this.#connect();
    } else if (this.#state === 'connecting') this.#dialHandlers.onFailed(reasonOf(error), systemCodeOf(error));
    else this.#handlers?.onFailed(reasonOf(error));
  }
}
