/** The local end of a tunnel: a TCP connection of this machine, or standard input and output. */
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Reason } from '../wire/reasons.js';

const NOTHING = Buffer.alloc(0);
/** ms between probes of a connection from which nobody reads. */
export const PROBE_INTERVAL = 5_000;

export interface LocalEnd {
  /** Gives what goes to the peer; nobody reads from it before the tunnel does. */
  readonly source: Readable;
  /** Takes what comes from the peer. The same stream as `source` for a socket. */
  readonly sink: Writable;
  /**
   * Whether the local program may go on writing for a while when nobody reads any more: to break a TCP connection while
   * data comes in can cost the program the last bytes that it was sent.
   */
  readonly lingers: boolean;
  /** Of our side of the TCP connection, as the kernel lists it; undefined for what is none, or is over. */
  readonly localPort: number | undefined;
  /** To which a TCP connection leads, or from which it comes; undefined for what is none, or is over. */
  readonly remoteAddress: string | undefined;
  /**
   * Calls back when the connection is not broken; when it is, `sink` has an error instead. For what is not seen by itself: that
   * it broke while nobody reads from it, and whether its end was said by the local program or is an abort.
   */
  probe(onSound: () => void): void;
  /** Breaks the connection so that the local program sees an error, and frees it. */
  reset(reason: Reason): void;
  /** Frees what is left when both directions are over. */
  destroy(): void;
}

/** @param socket made with `allowHalfOpen`, so that its two directions end on their own */
export function socketEnd(socket: Socket): LocalEnd {
  // Small packets of interactive programs must not wait for acknowledgements; a dead host is noticed in the end.
  socket.setNoDelay(true);
  // Also before somebody reads from it, and when it is reset: an error that nobody listens for would end the process.
  socket.on('error', () => {});
  socket.setKeepAlive(true, 60_000);
  return {
    source: socket,
    sink: socket,
    lingers: true,
    get localPort() {
      return socket.localPort;
    },
    get remoteAddress() {
      return socket.remoteAddress;
    },
    probe: (onSound) => probeSocket(socket, onSound),
    reset: () => resetSocket(socket),
    destroy: () => void socket.destroy(),
  };
}

/**
 * libuv asks the kernel for nothing about a socket that is neither read nor written, so that a reset and the timeout of the
 * keep-alive go unnoticed; and a reset that finds data unread comes out as a plain end after that data. The socket still
 * knows better, and says so to whoever writes to it, be it nothing. It does not where our own direction has ended.
 */
export function probeSocket(socket: Socket, onSound = (): void => {}): void {
  // What waits to be written will meet the error by itself, and an end should not wait for that.
  if (socket.writableEnded || socket.writableLength > 0) onSound();
  else
    socket.write(NOTHING, (error) => {
      if (!error) onSound();
    });
}

function resetSocket(socket: Socket): void {
  // While a shutdown is under way Node 20 fails to reset and then loses the handle; it takes a turn of the event loop.
  const isShuttingDown = socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished;
  if (isShuttingDown) socket.once('finish', () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}
