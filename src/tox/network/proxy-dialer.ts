/** Dials through a proxy, and never around it: what the proxy cannot reach is not reached. */
import { AttemptLimit, type AttemptRoom } from '../../base/address-race.js';
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import {
  type ProxyFaultCode,
  type ProxyHandshake,
  type ProxyProgress,
  type ProxyServer,
  proxyHandshake,
  proxyName,
} from './proxies.js';
import { type ProxyFault, ProxyWatch } from './proxy-watch.js';
import { RacedStream } from './raced-stream.js';
import type { DialStream, StreamHandlers, StreamSocket } from './stream-socket.js';

/**
 * ms, the proxy's own connecting included: less than the 10 s of a relay connection (c-toxcore
 * TCP_CONNECTION_TIMEOUT), whose owner would hang up before it is known that it was the proxy that said nothing.
 */
const PROXY_TIMEOUT = 9_000;
/** Attempts at further addresses of the proxy, of all connections, while the first one does not answer. */
const MAX_ATTEMPTS_BESIDE = 16;

export interface ProxyDialerDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** How the proxy itself is reached. */
  readonly dial: DialStream;
  /** Finds the proxy, anew for each connection: its address may change. Rejects when there is none. */
  readonly resolve: (host: string, port: number) => Promise<readonly Endpoint[]>;
  /** The proxy is of no use, and why; undefined when it is again. */
  readonly onChange: (fault: ProxyFault | undefined) => void;
}

export class ProxyDialer {
  readonly dial: DialStream;
  readonly #watch: ProxyWatch;

  /** @throws RangeError when SOCKS5 cannot carry the credentials */
  constructor(deps: ProxyDialerDeps, proxy: ProxyServer) {
    const watch = new ProxyWatch(deps, deps.onChange);
    const room = new AttemptLimit(MAX_ATTEMPTS_BESIDE);
    this.#watch = watch;
    this.dial = (to, handlers) =>
      watch.mayTry()
        ? new ProxiedStream({ ...deps, watch, room }, proxy, to, handlers)
        : new HeldBackStream(deps.clock, to, handlers, watch.fault?.reason ?? '');
  }

  /** Why it is of no use now. */
  get fault(): ProxyFault | undefined {
    return this.#watch.fault;
  }

  stop(): void {
    this.#watch.stop();
  }
}

interface StreamDeps extends Omit<ProxyDialerDeps, 'onChange'> {
  readonly watch: ProxyWatch;
  readonly room: AttemptRoom;
}

/** An attempt that is not made, because the last ones have shown that the proxy is of no use. */
class HeldBackStream implements StreamSocket {
  readonly remote: Endpoint;
  readonly waiting = 0;
  readonly #timer: Timer;

  constructor(clock: Clock, to: Endpoint, handlers: StreamHandlers, reason: string) {
    this.remote = to;
    this.#timer = clock.soon(() => handlers.onClose(reason));
  }

  write(): boolean {
    return false;
  }

  destroy(): void {
    this.#timer.cancel();
  }
}

/** `looking` for the proxy and connecting to it; `asking` it for the destination; `open`, and at last `closed`. */
type State =
  | { readonly kind: 'looking'; readonly socket: StreamSocket | undefined }
  | { readonly kind: 'asking'; readonly socket: StreamSocket }
  | { readonly kind: 'open'; readonly socket: StreamSocket }
  | { readonly kind: 'closed' };

class ProxiedStream implements StreamSocket {
  readonly remote: Endpoint;
  readonly #deps: StreamDeps;
  readonly #handlers: StreamHandlers;
  readonly #proxy: ProxyServer;
  readonly #handshake: ProxyHandshake;
  readonly #timer: Timer;
  #state: State = { kind: 'looking', socket: undefined };

  constructor(deps: StreamDeps, proxy: ProxyServer, to: Endpoint, handlers: StreamHandlers) {
    this.remote = to;
    this.#deps = deps;
    this.#handlers = handlers;
    this.#proxy = proxy;
    this.#handshake = proxyHandshake(proxy, to);
    this.#timer = deps.clock.after(PROXY_TIMEOUT, () => this.#onTimeout());
    const literal = Endpoint.of(proxy.host, proxy.port);
    if (literal !== undefined) this.#connect([literal]);
    else {
      deps.resolve(proxy.host, proxy.port).then(
        (endpoints) => this.#connect(endpoints),
        (error) => this.#fail('unreachable', `the proxy cannot be found: ${messageOf(error)}`),
      );
    }
  }

  get waiting(): number {
    return this.#state.kind === 'open' ? this.#state.socket.waiting : 0;
  }

  write(bytes: Buffer): boolean {
    return this.#state.kind === 'open' && this.#state.socket.write(bytes);
  }

  destroy(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    this.#timer.cancel();
    if (state.kind === 'closed') return;
    state.socket?.destroy();
    if (state.kind === 'open') this.#deps.watch.noteClosed();
  }

  #connect(endpoints: readonly Endpoint[]): void {
    if (this.#state.kind !== 'looking') return;
    const [first, ...others] = endpoints;
    if (first === undefined) {
      this.#fail('unreachable', 'the proxy cannot be reached: its name has no address');
      return;
    }
    // A name such as localhost may have addresses where nobody listens.
    const socket = new RacedStream(this.#deps, [first, ...others], {
      onOpen: () => {
        this.#state = { kind: 'asking', socket };
        socket.write(this.#handshake.begin());
      },
      onData: (bytes) => {
        if (this.#state.kind === 'open') this.#handlers.onData(bytes);
        else this.#onProgress(this.#handshake.receive(bytes));
      },
      onDrain: () => {
        if (this.#state.kind === 'open') this.#handlers.onDrain();
      },
      onClose: (reason) => {
        if (this.#state.kind === 'looking') this.#fail('unreachable', `the proxy cannot be reached: ${reason}`);
        else this.#onClose(reason);
      },
    });
    this.#state = { kind: 'looking', socket };
  }

  #onProgress(progress: ProxyProgress): void {
    if (this.#state.kind !== 'asking') return;
    const { socket } = this.#state;
    switch (progress.kind) {
      case 'wait':
        return;
      case 'send':
        socket.write(progress.bytes);
        return;
      case 'failed':
        this.#fail(progress.fault, progress.reason);
        return;
      case 'connected':
        this.#state = { kind: 'open', socket };
        this.#timer.cancel();
        this.#deps.watch.noteOpened();
        this.#handlers.onOpen?.();
        if (progress.rest.length > 0 && !this.#isClosed) this.#handlers.onData(progress.rest);
    }
  }

  /** Its socket ended after it stood. */
  #onClose(reason: string): void {
    if (this.#state.kind === 'open') {
      this.destroy();
      this.#handlers.onClose(reason);
    } else if (this.#state.kind === 'asking') {
      const fault = this.#handshake.isAdmitted ? undefined : 'silent';
      this.#fail(fault, `the proxy closed the connection without an answer: ${reason}`);
    }
  }

  #onTimeout(): void {
    if (this.#state.kind === 'looking')
      this.#fail('unreachable', `the proxy cannot be reached: no answer in ${PROXY_TIMEOUT / 1000} s`);
    else this.#fail(this.#handshake.isAdmitted ? undefined : 'silent', 'the proxy does not answer');
  }

  #fail(fault: ProxyFaultCode | undefined, reason: string): void {
    if (this.#isClosed) return;
    this.destroy();
    if (fault !== undefined) this.#deps.watch.noteFault({ code: fault, proxy: proxyName(this.#proxy), reason });
    this.#handlers.onClose(reason);
  }

  get #isClosed(): boolean {
    return this.#state.kind === 'closed';
  }
}
