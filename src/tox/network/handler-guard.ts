/**
 * Catches what handlers of network input throw. Bytes from the network should never make them throw, since decoders return
 * undefined. If one does because of a mistake in this program, only the datagram or the connection is lost, not the process.
 */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import { adviceFor, describeError } from '../../base/program-error.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { DatagramHandler } from './datagram-socket.js';
import type { AcceptStream, DialStream, StreamHandlers, StreamSocket } from './stream-socket.js';

/** Lines in the log at once, and then per second; a peer that finds such an error can cause it with every packet. */
const LINES_AT_ONCE = 5;
const LINE_RATE = 1 / 60;

export class HandlerGuard {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lines: TokenBucket;
  #errors = 0;

  constructor(deps: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#lines = new TokenBucket(LINE_RATE, LINES_AT_ONCE, deps.clock.now());
  }

  datagrams(handler: DatagramHandler): DatagramHandler {
    return (packet, source) => {
      try {
        handler(packet, source);
      } catch (error) {
        this.#note(`a datagram of kind 0x${(packet[0] ?? 0).toString(16)} from ${source.key}`, error);
      }
    };
  }

  dials(dial: DialStream): DialStream {
    return (to, handlers) => {
      const stream: StreamSocket = dial(
        to,
        this.#stream(handlers, to, () => stream.destroy()),
      );
      return stream;
    };
  }

  accepts(accept: AcceptStream): AcceptStream {
    return (stream) => {
      try {
        const handlers = accept(stream);
        return handlers && this.#stream(handlers, stream.remote, () => stream.destroy());
      } catch (error) {
        this.#note(`a connection from ${stream.remote.key}`, error);
        return undefined;
      }
    };
  }

  /** A connection whose handler threw is closed, since its handlers have lost their place in the stream. */
  #stream(handlers: StreamHandlers, remote: Endpoint, destroy: () => void): StreamHandlers {
    const run = (call: () => void): void => {
      try {
        call();
      } catch (error) {
        this.#note(`the connection with ${remote.key}`, error);
        destroy();
        close('an error in this program');
      }
    };
    let isClosed = false;
    const close = (reason: string): void => {
      if (isClosed) return;
      isClosed = true;
      run(() => handlers.onClose(reason));
    };
    return {
      onOpen: () => run(() => handlers.onOpen?.()),
      onData: (bytes) => run(() => handlers.onData(bytes)),
      onDrain: () => run(() => handlers.onDrain()),
      onClose: close,
    };
  }

  #note(where: string, error: unknown): void {
    this.#errors += 1;
    const text = `${where} could not be handled, error ${this.#errors} since the start: ${describeError(error)}: ${adviceFor(error)}`;
    if (!this.#lines.take(this.#clock.now())) return;
    this.#log.error(text);
    if (error instanceof Error && error.stack !== undefined) this.#log.debug(error.stack);
  }
}
