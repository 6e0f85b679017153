/** What connects to targets. */
import type { Socket } from 'node:net';
import { systemCodeOf } from '../../base/coded-error.js';
import type { DatagramEnd } from '../stream/datagram-end.js';
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';

/** ms, for resolving and connecting together: less than a peer waits for its answer. */
export const CONNECT_TIMEOUT = 12_000;

export interface DialHandlers {
  /** Asked for each address of the target before anything is sent there, because a name can have any address. */
  mayConnect(address: string): boolean;
  /**
   * @param connected a paused socket with `allowHalfOpen`, whose bytes `readChunks` gets, or a UDP session that was not started
   * @param address was allowed by `mayConnect`
   */
  onConnected(connected: Socket | DatagramEnd, address: string): void;
  /**
   * @param reason `not-allowed` when the target has addresses, and none of them is allowed
   * @param code of the system, such as EMFILE, for the log
   * @param advice what the owner should know besides, for the log
   */
  onFailed(reason: Reason, code?: string, advice?: string): void;
}

export interface Dialer {
  /**
   * One of the last two handlers is called later, once.
   * @param peerId the client that asked for the target
   * @returns a function that cancels; then no handler is called
   */
  dial(peerId: string, target: Target, handlers: DialHandlers): () => void;
}

const REASON_OF_CODE: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: 'connection-refused',
  ECONNRESET: 'connection-refused',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'name-not-found',
  EAI_AGAIN: 'name-not-found',
  EACCES: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EINVAL: 'unreachable',
  EMFILE: 'no-resources',
  ENFILE: 'no-resources',
  ENOBUFS: 'no-resources',
  ENOMEM: 'no-resources',
};

export const reasonOf = (error: unknown): Reason => REASON_OF_CODE[systemCodeOf(error) ?? ''] ?? 'failed';
