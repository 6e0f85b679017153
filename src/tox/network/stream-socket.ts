/** TCP as the protocol needs it. The real connections are in tcp, the simulated ones in the tests. */
import type { Endpoint } from '../../base/endpoint.js';

export interface StreamHandlers {
  /** The connection is open; called once, before the others. Accepted connections are open from the start. */
  onOpen?(): void;
  /** Bytes in order, in pieces of any size. They belong to the receiver. */
  onData(bytes: Buffer): void;
  /** There is room again after `write` returned false. */
  onDrain(): void;
  /** The other side ended the connection, or it failed, or could not be opened; called once, last, and not after `destroy`. */
  onClose(reason: string): void;
}

export interface StreamSocket {
  /** The other end; with a proxy, the destination behind it. */
  readonly remote: Endpoint;
  /** Bytes written that the system has not taken yet. */
  readonly waiting: number;
  /** Takes the bytes in any case; returns false to ask the writer to wait for `onDrain`. */
  write(bytes: Buffer): boolean;
  /** Ends both directions at once; no handler is called afterwards. */
  destroy(): void;
}

/** Opens a connection; returns before it is open. */
export type DialStream = (to: Endpoint, handlers: StreamHandlers) => StreamSocket;

export interface StreamListener {
  readonly port: number;
  close(): void;
}

/** Returns the handlers of a new connection, or undefined to refuse it. */
export type AcceptStream = (socket: StreamSocket) => StreamHandlers | undefined;
