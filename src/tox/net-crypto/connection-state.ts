/**
 * The states of a connection (spec: "Net crypto", c-toxcore: CryptoConnStatus). The initiator goes down the list; the
 * acceptor of a handshake begins at 'not-confirmed', and so does an initiator whom the peer's handshake overtakes.
 *
 *     cookie-requesting   asks for a cookie                  ── cookie response ──►
 *     handshake-sent      has shown it                       ── peer's handshake ──►
 *     not-confirmed       can seal and open, and does        ── first data packet ──►
 *     established         the peer can, too
 *     closed
 *
 * `packet` is what is sent again and again until the next state, always the same bytes. Of requests for a cookie each has an echo of
 * its own, so that the answer proves the address.
 */
import type { SessionCipher } from './session-cipher.js';

/**
 * 'timeout': no answer while connecting. 'killed': by the peer. 'replaced': the peer began anew. 'stopped': by us. 'stuck': a
 * packet of the peer never came, and those after it waited. 'too large': one of ours for the path, which takes smaller ones only.
 */
export type CloseReason = 'timeout' | 'killed' | 'replaced' | 'stopped' | 'stuck' | 'too large';

export interface Session {
  readonly cipher: SessionCipher;
  /** When we made the cookie in the handshake that led to it, ms; a handshake with an older one is a copy. */
  readonly cookieTime: number;
}

/** What a connection does until it is closed. */
export type Stage = 'cookie-requesting' | 'handshake-sent' | 'not-confirmed' | 'established';

export type ConnectionState =
  | { readonly kind: 'cookie-requesting' }
  | { readonly kind: 'handshake-sent'; readonly packet: Buffer }
  | { readonly kind: 'not-confirmed'; readonly packet: Buffer; readonly session: Session }
  | { readonly kind: 'established'; readonly session: Session }
  | { readonly kind: 'closed'; readonly reason: CloseReason; readonly during: Stage };

/** The session, in the states that have one. */
export function sessionOf(state: ConnectionState): Session | undefined {
  return state.kind === 'not-confirmed' || state.kind === 'established' ? state.session : undefined;
}
