/**
 * The states of a connection (spec: "Net crypto", c-toxcore: CryptoConnStatus). The initiator passes through all states; the
 * acceptor of a handshake begins at 'not-confirmed', and so does an initiator that gets the peer's handshake first.
 *
 *     cookie-requesting   requests a cookie                  ── cookie response ──►
 *     handshake-sent      has sent the cookie                ── peer's handshake ──►
 *     not-confirmed       can seal and open                  ── first data packet ──►
 *     established         the peer can seal and open, too
 *     closed
 *
 * `packet` is retransmitted until the next state, always the same bytes. Each cookie request has its own echo, so the answer
 * proves the address.
 */
import type { SessionCipher } from './session-cipher.js';

/**
 * 'timeout': no answer while connecting. 'killed': by the peer. 'replaced': the peer started a new session. 'stopped': by us.
 * 'stuck': a packet of the peer never came, while later ones waited. 'too large': a packet of ours is too large for the path.
 */
export type CloseReason = 'timeout' | 'killed' | 'replaced' | 'stopped' | 'stuck' | 'too large';

export interface Session {
  readonly cipher: SessionCipher;
  /** When we issued the cookie in the handshake of the session, ms; a handshake with an older cookie is a copy. */
  readonly cookieTime: number;
}

/** The states of an open connection. */
export type Stage = 'cookie-requesting' | 'handshake-sent' | 'not-confirmed' | 'established';

export type ConnectionState =
  | { readonly kind: 'cookie-requesting' }
  | { readonly kind: 'handshake-sent'; readonly packet: Buffer }
  | { readonly kind: 'not-confirmed'; readonly packet: Buffer; readonly session: Session }
  | { readonly kind: 'established'; readonly session: Session }
  | { readonly kind: 'closed'; readonly reason: CloseReason; readonly during: Stage };

/** Returns the session, in the states that have one. */
export function sessionOf(state: ConnectionState): Session | undefined {
  return state.kind === 'not-confirmed' || state.kind === 'established' ? state.session : undefined;
}
