/** Dials through a proxy, and never around it: what the proxy cannot reach is not reached. */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import { type ProxyHandshake, type ProxyProgress, type ProxyServer, proxyHandshake } from './proxies.js';
import type { DialStream, StreamHandlers, StreamSocket } from './stream-socket.js';

/** Specification (c-toxcore TCP_CONNECTION_TIMEOUT), ms: the proxy's own connecting included. */
const PROXY_TIMEOUT = 10_000;

/** @param dial how the proxy itself is reached */
export function dialThrough(clock: Clock, dial: DialStream, proxy: ProxyServer): DialStream {
  return (to, handlers) => new ProxiedStream(clock, dial, proxy, to, handlers);
}

class ProxiedStream implements StreamSocket {
  readonly remote: Endpoint;
  readonly #socket: StreamSocket;
  readonly #handlers: StreamHandlers;
  readonly #timer: Timer;
  /** Undefined once the destination is connected. */
  #handshake: ProxyHandshake | undefined;
  #isClosed = false;

  constructor(clock: Clock, dial: DialStream, proxy: ProxyServer, to: Endpoint, handlers: StreamHandlers) {
    this.remote = to;
    this.#handlers = handlers;
    const handshake = proxyHandshake(proxy, to);
    this.#handshake = handshake;
    this.#timer = clock.after(PROXY_TIMEOUT, () => this.#fail(`the proxy ${proxy.endpoint.key} does not answer`));
    this.#socket = dial(proxy.endpoint, {
      onOpen: () => void this.#socket.write(handshake.begin()),
      onData: (bytes) => this.#onData(bytes),
      onDrain: () => {
        if (this.#handshake === undefined) handlers.onDrain();
      },
      onClose: (reason) => {
        this.#timer.cancel();
        if (this.#isClosed) return;
        this.#isClosed = true;
        handlers.onClose(this.#handshake === undefined ? reason : `proxy ${proxy.endpoint.key}: ${reason}`);
      },
    });
  }

  get waiting(): number {
    return this.#socket.waiting;
  }

  write(bytes: Buffer): boolean {
    return this.#handshake === undefined && this.#socket.write(bytes);
  }

  destroy(): void {
    this.#isClosed = true;
    this.#timer.cancel();
    this.#socket.destroy();
  }

  #onData(bytes: Buffer): void {
    if (this.#handshake === undefined) this.#handlers.onData(bytes);
    else this.#onProgress(this.#handshake.receive(bytes));
  }

  #onProgress(progress: ProxyProgress): void {
    switch (progress.kind) {
      case 'wait':
        return;
      case 'send':
        this.#socket.write(progress.bytes);
        return;
      case 'failed':
        this.#fail(progress.reason);
        return;
      case 'connected':
        this.#handshake = undefined;
        this.#timer.cancel();
        this.#handlers.onOpen?.();
        if (progress.rest.length > 0 && !this.#isClosed) this.#handlers.onData(progress.rest);
    }
  }

  #fail(reason: string): void {
    this.destroy();
    this.#handlers.onClose(reason);
  }
}
