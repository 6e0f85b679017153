/** Connects through a proxy, and never around it: what the proxy cannot reach is not reached. */
import { AttemptLimit, type AttemptRoom } from '../../base/address-race.js';
import { Backoff } from '../../base/backoff.js';
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import {
  type ProxyErrorCode,
  type ProxyHandshake,
  type ProxyProgress,
  type ProxyServer,
  proxyHandshake,
  proxyName,
} from './proxies.js';
import { RacedStream } from './raced-stream.js';
import type { DialStream, StreamHandlers, StreamSocket } from './stream-socket.js';

/**
 * ms, including the connection to the proxy. It is less than the 10 s of a relay connection (c-toxcore:
 * TCP_CONNECTION_TIMEOUT), so that the relay connection does not end before the proxy is known to be silent.
 */
const PROXY_TIMEOUT = 9_000;
/** Attempts at further addresses of the proxy, of all connections, while the first one does not answer. */
const MAX_ATTEMPTS_BESIDE = 16;
/**
 * ms in which other attempts made at the same time may prove that a refusal was not meant for all destinations. Other errors are
 * the same for every destination and are reported at once.
 */
const GRACE = 3_000;
/** ms: pauses between attempts at an unusable proxy. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;
const MAY_CONCERN_ONE: ReadonlySet<ProxyErrorCode> = new Set(['refuses', 'silent']);

export interface ProxyError {
  readonly code: ProxyErrorCode;
  /** The proxy, without its credentials. */
  readonly proxy: string;
  /** The reason, a clause without a full stop. */
  readonly reason: string;
}

interface ProxyDialerDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Connects to the proxy. */
  readonly dial: DialStream;
  /** Looks up the proxy, for each connection, since its address may change. Rejects if it has none. */
  readonly resolve: (host: string, port: number) => Promise<readonly Endpoint[]>;
  /** The proxy became unusable, or usable again. */
  readonly onChange: (error: ProxyError | undefined) => void;
}

export class ProxyDialer {
  readonly dial: DialStream;
  readonly #watch: ProxyWatch;

  /** @throws RangeError if SOCKS5 cannot carry the credentials */
  constructor(deps: ProxyDialerDeps, proxy: ProxyServer) {
    const watch = new ProxyWatch(deps, deps.onChange);
    const room = new AttemptLimit(MAX_ATTEMPTS_BESIDE);
    this.#watch = watch;
    this.dial = (to, handlers) =>
      watch.mayTry()
        ? new ProxiedStream({ ...deps, watch, room }, proxy, to, handlers)
        : new FailedStream(deps.clock, to, handlers, watch.error?.reason ?? '');
  }

  /** Why the proxy is unusable now; undefined if it is usable. */
  get error(): ProxyError | undefined {
    return this.#watch.error;
  }

  stop(): void {
    this.#watch.stop();
  }
}

interface StreamDeps extends Omit<ProxyDialerDeps, 'onChange'> {
  readonly watch: ProxyWatch;
  readonly room: AttemptRoom;
}

/** A connection that is not attempted, because recent ones have shown that the proxy is unusable. */
class FailedStream implements StreamSocket {
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

/** `connecting`: looks up the proxy and connects to it. `handshake`: requests the destination. */
type State =
  | { readonly kind: 'connecting'; readonly socket: StreamSocket | undefined }
  | { readonly kind: 'handshake'; readonly socket: StreamSocket }
  | { readonly kind: 'open'; readonly socket: StreamSocket }
  | { readonly kind: 'closed' };

class ProxiedStream implements StreamSocket {
  readonly remote: Endpoint;
  readonly #deps: StreamDeps;
  readonly #handlers: StreamHandlers;
  readonly #proxy: ProxyServer;
  readonly #handshake: ProxyHandshake;
  readonly #timer: Timer;
  #state: State = { kind: 'connecting', socket: undefined };

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
    if (state.kind === 'open') this.#deps.watch.onClosed();
  }

  #connect(endpoints: readonly Endpoint[]): void {
    if (this.#state.kind !== 'connecting') return;
    const [first, ...others] = endpoints;
    if (first === undefined) {
      this.#fail('unreachable', 'the proxy cannot be reached: its name has no address');
      return;
    }
    // A name such as localhost may have addresses at which nothing listens.
    const socket = new RacedStream(this.#deps, [first, ...others], {
      onOpen: () => {
        this.#state = { kind: 'handshake', socket };
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
        if (this.#state.kind === 'connecting') this.#fail('unreachable', `the proxy cannot be reached: ${reason}`);
        else this.#onClose(reason);
      },
    });
    this.#state = { kind: 'connecting', socket };
  }

  #onProgress(progress: ProxyProgress): void {
    if (this.#state.kind !== 'handshake') return;
    const { socket } = this.#state;
    switch (progress.kind) {
      case 'wait':
        return;
      case 'send':
        socket.write(progress.bytes);
        return;
      case 'failed':
        this.#fail(progress.code, progress.reason);
        return;
      case 'connected':
        this.#state = { kind: 'open', socket };
        this.#timer.cancel();
        this.#deps.watch.onOpened();
        this.#handlers.onOpen?.();
        if (progress.rest.length > 0 && !this.#isClosed) this.#handlers.onData(progress.rest);
    }
  }

  /** The connection to the proxy has ended. */
  #onClose(reason: string): void {
    if (this.#state.kind === 'open') {
      this.destroy();
      this.#handlers.onClose(reason);
    } else if (this.#state.kind === 'handshake') {
      const code = this.#handshake.isAdmitted ? undefined : 'silent';
      this.#fail(code, `the proxy closed the connection without an answer: ${reason}`);
    }
  }

  #onTimeout(): void {
    if (this.#state.kind === 'connecting')
      this.#fail('unreachable', `the proxy cannot be reached: no answer in ${PROXY_TIMEOUT / 1000} s`);
    else this.#fail(this.#handshake.isAdmitted ? undefined : 'silent', 'the proxy does not answer');
  }

  #fail(code: ProxyErrorCode | undefined, reason: string): void {
    if (this.#isClosed) return;
    this.destroy();
    if (code !== undefined) this.#deps.watch.onError({ code, proxy: proxyName(this.#proxy), reason });
    this.#handlers.onClose(reason);
  }

  get #isClosed(): boolean {
    return this.#state.kind === 'closed';
  }
}

/**
 * Whether a proxy is usable. One destination that it cannot reach shows nothing. An error counts if no connection through the
 * proxy is open, and is reported once. While there is one, connections are attempted rarely: a hundred relays use the proxy,
 * and as many wrong passwords in a second would lock an account.
 */
class ProxyWatch {
  readonly #clock: Clock;
  readonly #onChange: (error: ProxyError | undefined) => void;
  #open = 0;
  #error: ProxyError | undefined;
  #grace: Timer | undefined;
  readonly #pauses: Backoff;
  #nextAt = Number.NEGATIVE_INFINITY;

  /** @param onChange called with each new error, and with undefined when the proxy is usable again */
  constructor(
    deps: { readonly clock: Clock; readonly random: Random },
    onChange: (error: ProxyError | undefined) => void,
  ) {
    this.#clock = deps.clock;
    this.#onChange = onChange;
    this.#pauses = new Backoff(deps.random, { first: FIRST_PAUSE, most: LONGEST_PAUSE });
  }

  get error(): ProxyError | undefined {
    return this.#error;
  }

  /** Whether a connection may be attempted now: after an error, one after each pause. */
  mayTry(): boolean {
    const now = this.#clock.now();
    if (this.#error === undefined) return true;
    if (now < this.#nextAt) return false;
    this.#nextAt = now + this.#pauses.next();
    return true;
  }

  /** A connection through the proxy is open. */
  onOpened(): void {
    this.#open += 1;
    this.stop();
    this.#pauses.reset();
    if (this.#error !== undefined) this.#set(undefined);
  }

  /** An open connection has ended. */
  onClosed(): void {
    this.#open -= 1;
  }

  onError(error: ProxyError): void {
    if (this.#open > 0 || this.#error?.code === error.code) return;
    if (!MAY_CONCERN_ONE.has(error.code)) {
      this.stop();
      this.#set(error);
    } else if (this.#error === undefined || !MAY_CONCERN_ONE.has(this.#error.code)) {
      this.#grace ??= this.#clock.after(GRACE, () => {
        this.#grace = undefined;
        if (this.#open === 0) this.#set(error);
      });
    }
  }

  /** Cancels the timer. */
  stop(): void {
    this.#grace?.cancel();
    this.#grace = undefined;
  }

  #set(error: ProxyError | undefined): void {
    this.#error = error;
    this.#nextAt = this.#clock.now() + this.#pauses.next();
    this.#onChange(error);
  }
}
