/** What the protocol needs of TCP; the real one is in tcp-dialer and tcp-listener, the simulated one in the tests. */
import type { Endpoint } from '../../base/endpoint.js';

export interface StreamHandlers {
  /** The connection stands; called once, and before any of the others. Accepted connections stand already. */
  onOpen?(): void;
  /** Bytes in order, cut anywhere. They belong to the receiver. */
  onData(bytes: Buffer): void;
  /** There is room again after a `write` that returned false. */
  onDrain(): void;
  /** Called once, and last: the other side ended it, or it broke, or never came to stand. Not after `destroy`. */
  onClose(reason: string): void;
}

export interface StreamSocket {
  /** The other end: for a proxied connection, that behind the proxy. */
  readonly remote: Endpoint;
  /** Bytes written that the system has not taken yet. */
  readonly waiting: number;
  /** Takes the bytes in any case; false asks to write no more than must be before `onDrain`. */
  write(bytes: Buffer): boolean;
  /** Ends both directions at once; nothing is called afterwards. */
  destroy(): void;
}

/** Opens a connection; returns before it stands. */
export type DialStream = (to: Endpoint, handlers: StreamHandlers) => StreamSocket;

/** Waits for connections. */
export interface StreamListener {
  readonly port: number;
  close(): void;
}

/** Decides about a new connection: its handlers, or undefined to refuse it. */
export type AcceptStream = (socket: StreamSocket) => StreamHandlers | undefined;
