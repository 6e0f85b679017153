/** The local end of a tunnel: a TCP connection of this machine, or standard input and output. */
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Reason } from '../wire/reasons.js';

const NOTHING = Buffer.alloc(0);
/** ms between probes of a connection that is not read. */
export const PROBE_INTERVAL = 5_000;

export interface LocalEnd {
  /** Bytes for the peer; the tunnel is its only reader. */
  readonly source: Readable;
  /** Bytes from the peer, whose memory is used again when a write has called back. The same stream as `source` for a socket. */
  readonly sink: Writable;
  /**
   * Whether the program may write for a while after the peer has closed: breaking a TCP connection while data arrives can cost the
   * program the last bytes that it was sent.
   */
  readonly lingers: boolean;
  /** Port of our side of the TCP connection; undefined for other streams, and when it is over. */
  readonly localPort: number | undefined;
  /** Address of the other side of the TCP connection; undefined for other streams, and when it is over. */
  readonly remoteAddress: string | undefined;
  /**
   * Calls back when the connection is intact; otherwise `sink` emits an error. This finds what the streams do not report: a
   * connection that broke while it is not read, and whether an end is the program's or that of an aborted connection.
   */
  probe(onIntact: () => void): void;
  /** Breaks the connection, so that the local program sees an error, and frees it. */
  reset(reason: Reason): void;
  /** Frees the connection after both directions have ended. */
  destroy(): void;
}

/** @param socket of TCP or a Unix socket, made with `allowHalfOpen`, so that its two directions end separately */
export function socketEnd(socket: Socket): LocalEnd {
  // A program that closes a Unix socket makes writing fail at once, while what it wrote before can still be read.
  const canProbe = socket.localAddress !== undefined;
  // Small packets of interactive programs must not wait for acknowledgements.
  socket.setNoDelay(true);
  // Also before the tunnel reads from it, and after a reset: an error without a listener would end the process.
  socket.on('error', () => {});
  // A dead host is noticed eventually.
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
    probe: (onIntact) => (canProbe ? probeSocket(socket, onIntact) : onIntact()),
    reset: () => resetSocket(socket),
    destroy: () => void socket.destroy(),
  };
}

/**
 * Writes nothing, which fails when the connection is broken. libuv does not ask the kernel about a socket that is neither read nor
 * written, so a reset and the timeout of the keep-alive go unnoticed, and a reset with unread data looks like a plain end after
 * that data. Where our own direction has ended, no write is possible, and the probe finds nothing.
 */
export function probeSocket(socket: Socket, onIntact = (): void => {}): void {
  // Bytes that wait to be written will meet the error by themselves, and an end should not wait for them.
  if (socket.writableEnded || socket.writableLength > 0) onIntact();
  else
    socket.write(NOTHING, (error) => {
      if (!error) onIntact();
    });
}

export function resetSocket(socket: Socket): void {
  // Node 20 cannot reset a socket that is shutting down, and then loses its handle; a shutdown takes a turn of the event loop.
  const isShuttingDown = socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished;
  if (isShuttingDown) socket.once('finish', () => resetNow(socket));
  else resetNow(socket);
}

/** A Unix socket has no reset: its program gets an error when it writes, or when it has sent what was not read. */
function resetNow(socket: Socket): void {
  try {
    socket.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}
