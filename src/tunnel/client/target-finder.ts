/** How a forward finds the target of each connection: the same for all (-L), or what its program names as to a proxy (-D). */
import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.js';
import { beginHandshake, endRefused } from '../socks/proxy-handshake.js';
import type { ProxyUsers } from '../socks/proxy-users.js';
import { resetSocket } from '../stream/local-end.js';
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';

export interface FoundTarget {
  readonly target: Target;
  /** There is a tunnel, whose bytes follow. */
  tellGranted(): void;
  /** There will be none: ends the connection. */
  tellRefused(reason: Reason): void;
}

/** A program asks for UDP on its connection. */
export interface AskedAssociation {
  /** @param at where the program is to send its datagrams; literal */
  tellGranted(at: { readonly host: string; readonly port: number }): void;
  /** Ends the connection. */
  tellRefused(reason: Reason): void;
}

export interface FinderHandlers {
  onFound(found: FoundTarget): void;
  onAssociate(asked: AskedAssociation): void;
  /** The program asked for nothing that there is, and its connection ends. @param why about the program, for the log */
  onRefused(why: string): void;
}

/**
 * @param socket paused, with a listener for its errors
 * @returns a function that cancels; then no handler is called
 */
export type TargetFinder = (socket: Socket, handlers: FinderHandlers) => () => void;

export function oneTarget(target: Target): TargetFinder {
  return (socket, { onFound }) => {
    onFound({ target, tellGranted: () => {}, tellRefused: () => resetSocket(socket) });
    return () => {};
  };
}

export function anyTarget(deps: { readonly clock: Clock; readonly users: ProxyUsers | undefined }): TargetFinder {
  return (socket, { onFound, onAssociate, onRefused }) =>
    beginHandshake(deps, socket, {
      onRequest: (request) => {
        const tellRefused = (reason: Reason): void => endRefused(deps.clock, socket, request.refused(reason));
        if (request.kind === 'connect') {
          const { target, granted } = request;
          onFound({ target, tellGranted: () => void socket.write(granted), tellRefused });
        } else onAssociate({ tellGranted: (at) => void socket.write(request.granted(at)), tellRefused });
      },
      onRefused,
    });
}
