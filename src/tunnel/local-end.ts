/** The local end of a tunnel: a TCP connection of this machine, or standard input and output. */
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Reason } from './reasons.js';

const NOTHING = Buffer.alloc(0);

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
  /** Calls back when the end of `source` was said by the local program; after an abort there is an error instead. */
  confirmEnd(onConfirmed: () => void): void;
  /** Breaks the connection so that the local program sees an error, and frees it. */
  reset(reason: Reason): void;
  /** Frees what is left when both directions are over. */
  destroy(): void;
}

/** @param socket made with `allowHalfOpen`, so that its two directions end on their own */
export function socketEnd(socket: Socket): LocalEnd {
  // Small packets of interactive programs must not wait for acknowledgements; a dead host is noticed in the end.
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 60_000);
  return {
    source: socket,
    sink: socket,
    lingers: true,
    get localPort() {
      return socket.localPort;
    },
    confirmEnd: (onConfirmed) => confirmEnd(socket, onConfirmed),
    reset: () => resetSocket(socket),
    destroy: () => void socket.destroy(),
  };
}

/**
 * A reset that finds data unread, as while the peer is slow, comes out of libuv as a plain end after that data. The socket
 * still knows better, and says so to whoever writes to it, be it nothing.
 */
function confirmEnd(socket: Socket, onConfirmed: () => void): void {
  // What waits to be written will meet the error by itself, and the end should not wait for that.
  if (socket.writableEnded || socket.writableLength > 0) onConfirmed();
  else
    socket.write(NOTHING, (error) => {
      if (!error) onConfirmed();
    });
}

function resetSocket(socket: Socket): void {
  // While a shutdown is under way Node 20 fails to reset and then loses the handle; it takes a turn of the event loop.
  const isShuttingDown = socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished;
  if (isShuttingDown) socket.once('finish', () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}
