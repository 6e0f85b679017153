/** A TCP socket of Node as a StreamSocket; what is written in one turn of the event loop leaves in one system call. */
import type { Socket } from 'node:net';
import { messageOf } from '../../base/coded-error.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { StreamHandlers, StreamSocket } from './stream-socket.js';

/** Implementation: bytes that wait in the process before writers are asked to pause; at 10 MB/s a burst of 25 ms. */
export const STREAM_HIGH_WATER = 256 * 1024;

export class NodeStream implements StreamSocket {
  readonly remote: Endpoint;
  readonly #socket: Socket;
  #handlers: StreamHandlers | undefined;
  #isCorked = false;

  constructor(socket: Socket, remote: Endpoint) {
    this.#socket = socket;
    this.remote = remote;
    // Small packets of many tunnels: none may wait for the next one.
    socket.setNoDelay(true);
  }

  get waiting(): number {
    return this.#socket.writableLength;
  }

  /** From now on the handlers are called. */
  attach(handlers: StreamHandlers): void {
    this.#handlers = handlers;
    const socket = this.#socket;
    let failure: string | undefined;
    socket.on('connect', () => this.#handlers?.onOpen?.());
    socket.on('data', (bytes) => this.#handlers?.onData(bytes));
    socket.on('drain', () => this.#handlers?.onDrain());
    socket.on('error', (error) => {
      failure = messageOf(error);
    });
    socket.on('end', () => {
      failure ??= 'ended by the other side';
      socket.destroy();
    });
    socket.on('close', () => {
      const { onClose } = this.#handlers ?? {};
      this.#handlers = undefined;
      onClose?.call(handlers, failure ?? 'closed');
    });
  }

  write(bytes: Buffer): boolean {
    if (this.#handlers === undefined) return false;
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    return this.#socket.write(bytes);
  }

  destroy(): void {
    this.#handlers = undefined;
    // An error that comes afterwards is nobody's.
    this.#socket.on('error', () => {});
    this.#socket.destroy();
  }
}
