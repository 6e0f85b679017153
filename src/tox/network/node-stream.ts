/**
 * A TCP socket of Node as a StreamSocket; what is written in one turn of the event loop leaves in one piece: to copy it costs less
 * than what Node and the kernel do for each of many.
 */
import type { Socket } from 'node:net';
import { messageOf } from '../../base/coded-error.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { StreamHandlers, StreamSocket } from './stream-socket.js';

/** bytes that wait in the process before writers are asked to pause; at 10 MB/s a burst of 25 ms. */
export const STREAM_HIGH_WATER = 256 * 1024;

const NOTHING = Buffer.alloc(0);

export class NodeStream implements StreamSocket {
  readonly remote: Endpoint;
  readonly #socket: Socket;
  #handlers: StreamHandlers | undefined;
  /** Written in this turn, and how many bytes that is. */
  #outbox: Buffer[] = [];
  #outboxSize = 0;
  /** A writer was told to wait. */
  #isFull = false;

  constructor(socket: Socket, remote: Endpoint) {
    this.#socket = socket;
    this.remote = remote;
    // Small packets of many tunnels: none may wait for the next one.
    socket.setNoDelay(true);
  }

  get waiting(): number {
    return this.#socket.writableLength + this.#outboxSize;
  }

  /** From now on the handlers are called. */
  attach(handlers: StreamHandlers): void {
    this.#handlers = handlers;
    const socket = this.#socket;
    let failure: string | undefined;
    socket.on('connect', () => this.#handlers?.onOpen?.());
    socket.on('data', (bytes) => this.#handlers?.onData(bytes));
    socket.on('drain', () => this.#drained());
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
    if (this.#outbox.length === 0) process.nextTick(this.#flush);
    this.#outbox.push(bytes);
    this.#outboxSize += bytes.length;
    this.#isFull ||= this.waiting >= this.#socket.writableHighWaterMark;
    return !this.#isFull;
  }

  readonly #flush = (): void => {
    const [first = NOTHING] = this.#outbox;
    const bytes = this.#outbox.length === 1 ? first : Buffer.concat(this.#outbox, this.#outboxSize);
    this.#outbox = [];
    this.#outboxSize = 0;
    if (this.#handlers === undefined) return;
    // What the system took at once leaves room again, and Node does not tell.
    if (this.#socket.write(bytes)) this.#drained();
  };

  #drained(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#handlers?.onDrain();
  }

  destroy(): void {
    this.#handlers = undefined;
    // An error that comes afterwards is nobody's.
    this.#socket.on('error', () => {});
    this.#socket.destroy();
  }
}
