/** Reads the request of one program from its connection, as a proxy, and leaves everything after it to the tunnel. */
import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.js';
import { resetSocket } from '../stream/local-end.js';
import { ProxyDialogue, type ProxyRequest } from './proxy-dialogue.js';
import type { ProxyUsers } from './proxy-users.js';

/** ms for a program to name its target: it does so at once. */
export const HANDSHAKE_TIMEOUT = 30_000;
export const NO_TARGET_NAMED = 'it named no target in 30 s';
/** ms for a refused program to read why, while what it still sends is thrown away: closing at once would cost it the answer. */
export const LINGER = 5_000;

export interface HandshakeHandlers {
  /** The socket is paused again. */
  onRequest(request: ProxyRequest): void;
  /** The program has its answer, and `endRefused` was called. */
  onRefused(why: string): void;
}

/**
 * @param socket paused, with `allowHalfOpen` and a listener for its errors
 * @returns a function that stops reading; then no handler is called
 */
export function beginHandshake(
  deps: { readonly clock: Clock; readonly users: ProxyUsers | undefined },
  socket: Socket,
  handlers: HandshakeHandlers,
): () => void {
  const dialogue = new ProxyDialogue(deps.users);
  const stop = (): void => {
    timeout.cancel();
    socket.off('data', onData).off('end', onEnd).pause();
  };
  const refuse = (why: string, answer?: Buffer): void => {
    stop();
    endRefused(deps.clock, socket, answer);
    handlers.onRefused(why);
  };
  const onData = (bytes: Buffer): void => {
    const { answer, result } = dialogue.push(bytes);
    if (result?.kind === 'refused') {
      refuse(result.why, answer);
      return;
    }
    if (answer.length > 0) socket.write(answer);
    if (result === undefined) return;
    stop();
    if (dialogue.rest.length > 0) socket.unshift(dialogue.rest);
    handlers.onRequest(result);
  };
  const onEnd = (): void => {
    stop();
    resetSocket(socket);
  };
  const timeout = deps.clock.after(HANDSHAKE_TIMEOUT, () => refuse(NO_TARGET_NAMED));
  socket.setNoDelay(true).on('data', onData).on('end', onEnd).resume();
  return stop;
}

/** Ends the connection after a last answer. @param answer none: resets it */
export function endRefused(clock: Clock, socket: Socket, answer?: Buffer): void {
  if (answer === undefined || answer.length === 0) {
    resetSocket(socket);
    return;
  }
  const timeout = clock.after(LINGER, () => socket.destroy());
  socket.once('close', () => timeout.cancel());
  socket.resume().end(answer);
}
