/**
 * A Unix socket as the local end of a tunnel. When its program closes, the kernel keeps what the program has written, also if the program
 * has not read all that it was sent. Writing then fails at once (EPIPE), and so does reading, after the last byte (ECONNRESET); Node
 * destroys the socket for either, with the bytes that nobody has read yet. Here these two errors are the end of a program that reads
 * nothing more: its answer is read to the end, and what the peer still sends is thrown away.
 */
import { Socket } from 'node:net';
import type { Clock, Timer } from '../../base/clock.js';
import { systemCodeOf } from '../../base/coded-error.js';
import { type LocalEnd, socketEnd } from './local-end.js';

/** ms after its end for the peer to take the answer, and to stop sending; then the tunnel is reset. */
const LINGER = 30_000;

type Done = (error?: Error | null) => void;

/** @param socket of either kind, connected */
export const endOf = (clock: Clock, socket: Socket): LocalEnd => {
  // Only sockets of TCP have an address; other streams, which stand for sockets in tests, do not break in this way.
  if (socket instanceof Socket && socket.localAddress === undefined) outliveProgram(clock, socket);
  return socketEnd(socket);
};

/** Node asks the socket itself for each of these methods, so those of one socket can be replaced, also of an accepted one. */
function outliveProgram(clock: Clock, socket: Socket): void {
  const original = {
    write: socket._write.bind(socket),
    writev: socket._writev?.bind(socket),
    final: socket._final.bind(socket),
    destroy: socket.destroy.bind(socket),
  };
  let isClosed = false;
  let linger: Timer | undefined;
  const lingerOn = (error: Error): void => {
    linger ??= clock.after(LINGER, () => original.destroy(error));
  };
  const noteClosed = (error: Error): void => {
    if (isClosed) return;
    isClosed = true;
    if (socket.readableEnded) lingerOn(error);
    else socket.once('end', () => lingerOn(error));
  };
  const orClosed =
    (done: Done): Done =>
    (error) => {
      if (error && isOfClosed(error)) noteClosed(error);
      done(error && isOfClosed(error) ? null : error);
    };
  socket._write = (bytes, encoding, done) => (isClosed ? done() : original.write(bytes, encoding, orClosed(done)));
  socket._writev = (chunks, done) => (isClosed ? done() : original.writev?.(chunks, orClosed(done)));
  socket._final = (done) => (isClosed ? done() : original.final(orClosed(done)));
  socket.destroy = (error) => {
    if (error === undefined || !isOfClosed(error) || socket.readableEnded) return original.destroy(error);
    noteClosed(error);
    socket.push(null);
    return socket;
  };
  socket.once('close', () => linger?.cancel());
}

const isOfClosed = (error: Error): boolean => ['EPIPE', 'ECONNRESET'].includes(systemCodeOf(error) ?? '');
