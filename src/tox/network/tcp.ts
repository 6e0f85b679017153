/**
 * TCP connections of Node as stream sockets. What is written within one tick of the event loop is sent as one piece: copying it
 * costs less than a call into Node and the kernel for each piece.
 */
import { createServer, type Server, Socket } from 'node:net';
import { messageOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import { isIpv6Missing, openError } from './network-error.js';
import type { AcceptStream, DialStream, StreamHandlers, StreamListener, StreamSocket } from './stream-socket.js';

/** Bytes that wait in the process before writers are asked to pause; at 10 MB/s a burst of 25 ms. */
const HIGH_WATER = 256 * 1024;

const NOTHING = Buffer.alloc(0);

export const dialTcp: DialStream = (to, handlers) => {
  // `connect` of node:net takes no high-water mark, and Node's default of 16 KiB would stop a sender every 12 packets.
  const socket = new Socket({ highWaterMark: HIGH_WATER } as ConstructorParameters<typeof Socket>[0]);
  const stream = new NodeStream(socket, to);
  stream.attach(handlers);
  socket.connect({ host: to.address, port: to.port, lookup: literalOnly(to) });
  return stream;
};

/** All destinations are literal addresses. No name is ever looked up, which the user of a proxy relies on. */
const literalOnly =
  (to: Endpoint) =>
  (_host: string, _options: object, callback: (error: null, address: string, family: number) => void): void =>
    callback(null, to.address, to.family);

interface TcpListenerOptions {
  /** 1 to 65535; 0 lets the system choose. */
  readonly port: number;
  readonly ipv6: boolean;
  /** A literal address of this machine; undefined for all addresses. */
  readonly bindAddress?: string;
}

/** @throws NetworkError (rejects) with 'port-in-use', 'no-permission', 'no-address' or 'no-socket' */
export async function listenTcp(accept: AcceptStream, options: TcpListenerOptions): Promise<StreamListener> {
  const { port, ipv6, bindAddress } = options;
  const hosts = bindAddress === undefined ? (ipv6 ? ['::', '0.0.0.0'] : ['0.0.0.0']) : [bindAddress];
  let cause: unknown;
  for (const host of hosts) {
    try {
      return listenerOf(await bind(accept, host, port));
    } catch (error) {
      cause = error;
      if (!isIpv6Missing(error)) break;
    }
  }
  const what = port === 0 ? 'a TCP port' : `TCP port ${port}`;
  throw openError(cause, {
    what,
    inUse: port === 0 ? 'no TCP port is free' : `${what} is in use: choose another one for the relay`,
    notAllowed: 'choose one above 1023',
    noAddress: `cannot open ${what} on that address`,
  });
}

function bind(accept: AcceptStream, host: string, port: number): Promise<Server> {
  const server = createServer({ highWaterMark: HIGH_WATER }, (socket) => {
    const stream = new NodeStream(socket, Endpoint.ofSource(socket.remoteAddress ?? '', socket.remotePort ?? 0));
    const handlers = accept(stream);
    if (handlers === undefined) stream.destroy();
    else stream.attach(handlers);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.removeListener('error', reject);
      // Without free descriptors, new connections are lost, but the listener stays.
      server.on('error', () => {});
      resolve(server);
    });
  });
}

function listenerOf(server: Server): StreamListener {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, close: () => void server.close() };
}

export class NodeStream implements StreamSocket {
  readonly remote: Endpoint;
  readonly #socket: Socket;
  #handlers: StreamHandlers | undefined;
  /** What was written in this tick, and its bytes. */
  #outbox: Buffer[] = [];
  #outboxSize = 0;
  /** Whether a writer was asked to wait. */
  #isFull = false;

  constructor(socket: Socket, remote: Endpoint) {
    this.#socket = socket;
    this.remote = remote;
    // The small packets of many tunnels must not wait for the next one.
    socket.setNoDelay(true);
  }

  get waiting(): number {
    return this.#socket.writableLength + this.#outboxSize;
  }

  /** Calls the handlers from now on. */
  attach(handlers: StreamHandlers): void {
    this.#handlers = handlers;
    const socket = this.#socket;
    let failure: string | undefined;
    socket.on('connect', () => this.#handlers?.onOpen?.());
    socket.on('data', (bytes) => this.#handlers?.onData(bytes));
    socket.on('drain', () => this.#onDrain());
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
    // When the system takes everything at once, there is room again, and Node emits no 'drain'.
    if (this.#socket.write(bytes)) this.#onDrain();
  };

  #onDrain(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#handlers?.onDrain();
  }

  destroy(): void {
    this.#handlers = undefined;
    // A later error concerns nobody, but without a listener it would end the process.
    this.#socket.on('error', () => {});
    this.#socket.destroy();
  }
}
