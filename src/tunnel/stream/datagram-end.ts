/** The local end of a UDP session, and either kind of local end. */
import type { Reason } from '../wire/reasons.js';
import type { LocalEnd } from './local-end.js';

export interface DatagramHandlers {
  /** A datagram for the peer. */
  onDatagram(bytes: Buffer): void;
  /** The session cannot go on. */
  onFailed(reason: Reason): void;
  /** The local program has ended the session. */
  onEnd(): void;
}

export interface DatagramEnd {
  /** Port of our side; undefined when it is over. */
  readonly localPort: number | undefined;
  /** Address of the other side; undefined when it is over. */
  readonly remoteAddress: string | undefined;
  /** Called once. Datagrams that came before are told now. */
  start(handlers: DatagramHandlers): void;
  /** Sends a datagram of the peer, which is lost if there is no room. */
  send(bytes: Buffer): void;
  /** Ends the session because it broke, and frees what it holds. */
  reset(reason: Reason): void;
  /** Ends it in good order, and frees what it holds. */
  destroy(): void;
}

export type TunnelEnd = LocalEnd | DatagramEnd;

export const isDatagramEnd = (end: object): end is DatagramEnd => 'start' in end;
