/**
 * The handshake of two peers, up to the keys of a session (spec: "Net crypto", c-toxcore: CryptoConnStatus). It decides which packet
 * is sent next and what the packets of the peer mean; the connection chooses their routes. The initiator passes through all states;
 * the acceptor of a handshake begins at 'not-confirmed', and so does an initiator that gets the peer's handshake first.
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
import { generateKeyPair } from '../../crypto/key-pair.js';
import { NONCE_SIZE } from '../../crypto/sodium.js';
import type { CloseReason, ConnectionHost, PeerKeys } from '../stream/connection-host.js';
import { buildHandshake, type OpenedHandshake } from './handshake.js';
import { SessionCipher, type SessionOffer } from './session-cipher.js';

/**
 * ms. A living peer sends once a second; after this much silence, a handshake of the same run of the same
 * peer means that it has lost the session. c-toxcore ignores it until its own timeout, 32 s.
 */
const SILENCE_BEFORE_REPLACEMENT = 3500;

/** ms between transmissions, which are sent at 0, 150, 300, 600, 1000, 2000, 3000 and 4000 ms; c-toxcore's pauses are 1000 ms. */
const PAUSES = [150, 150, 300, 400, 1000, 1000, 1000, 1000] as const;

export interface SessionKeys {
  readonly cipher: SessionCipher;
  /** When we issued the cookie in the handshake of the session, ms; a handshake with an older cookie is a copy. */
  readonly cookieTime: number;
}

/** The states of an open connection. */
export type Stage = 'cookie-requesting' | 'handshake-sent' | 'not-confirmed' | 'established';

type State =
  | { readonly kind: 'cookie-requesting' }
  | { readonly kind: 'handshake-sent'; readonly packet: Buffer }
  | { readonly kind: 'not-confirmed'; readonly packet: Buffer; readonly keys: SessionKeys }
  | { readonly kind: 'established'; readonly keys: SessionKeys }
  | { readonly kind: 'closed'; readonly reason: CloseReason; readonly during: Stage };

interface HandshakeStateDeps {
  readonly host: Pick<ConnectionHost<unknown>, 'random' | 'realSecret' | 'issueCookie'>;
  /** We can seal for the peer now, or with a new key. */
  readonly onKeys: () => void;
}

/**
 * What a handshake of the peer means. 'progress': it brings the session nearer. 'known': it belongs to the established session
 * and was sent again, or copied. 'another': the peer starts a new session. 'outdated': it is a copy of an earlier handshake.
 * 'ignored': it means nothing in this state.
 */
export type HandshakeMeaning = 'progress' | 'known' | 'another' | 'outdated' | 'ignored';

interface HandshakeStateOptions {
  readonly peer: PeerKeys;
  /** ms of the clock. */
  readonly now: number;
  /** The peer's handshake that this answers; without one, a cookie is requested. */
  readonly accepted: OpenedHandshake | undefined;
}

export class HandshakeState {
  readonly #deps: HandshakeStateDeps;
  readonly #peer: PeerKeys;
  /** Our half of the session; it is made once, whatever handshakes arrive. */
  readonly #ours: SessionOffer;
  /** Transmissions of the present packet, and when the next one is due, ms of the clock. */
  #sent = 0;
  #dueAt: number;
  #state: State;

  constructor(deps: HandshakeStateDeps, { peer, now, accepted }: HandshakeStateOptions) {
    this.#deps = deps;
    this.#peer = peer;
    const { host } = deps;
    const baseNonce = host.random.bytes(NONCE_SIZE);
    this.#ours = { keyPair: generateKeyPair(host.random), baseNonce, sendNonce: Buffer.from(baseNonce) };
    this.#dueAt = now;
    this.#state =
      accepted === undefined
        ? { kind: 'cookie-requesting' }
        : {
            kind: 'not-confirmed',
            packet: this.#buildHandshake(accepted.cookie),
            keys: this.#makeKeys(accepted),
          };
  }

  get state(): State['kind'] {
    return this.#state.kind;
  }

  /** The stage at which it was closed; the current stage while it is open. */
  get lastStage(): Stage {
    return this.#state.kind === 'closed' ? this.#state.during : this.#state.kind;
  }

  /** The keys of the session, once the peer's handshake has arrived. */
  get keys(): SessionKeys | undefined {
    const state = this.#state;
    return state.kind === 'not-confirmed' || state.kind === 'established' ? state.keys : undefined;
  }

  /** The peer has given us this cookie. */
  receiveCookie(cookie: Buffer, now: number): void {
    if (this.#state.kind !== 'cookie-requesting') return;
    this.#state = { kind: 'handshake-sent', packet: this.#buildHandshake(cookie) };
    this.retryNow(now);
  }

  /** @param receivedAt when the last packet of the session was received, ms of the clock */
  receiveHandshake(handshake: OpenedHandshake, now: number, receivedAt: number): HandshakeMeaning {
    const state = this.#state;
    // Its cookie is older than the one of the session.
    if (this.keys !== undefined && handshake.cookieTime < this.keys.cookieTime) return 'outdated';
    if (!this.#peer.dhtKey.equals(handshake.dhtKey)) return 'another';
    switch (state.kind) {
      case 'cookie-requesting':
        // Both connected at once, and the peer was faster: its handshake brings the cookie that we requested.
        this.#begin(this.#buildHandshake(handshake.cookie), handshake);
        this.retryNow(now);
        return 'progress';
      case 'handshake-sent':
        this.#begin(state.packet, handshake);
        return 'progress';
      case 'not-confirmed':
        if (!state.keys.cipher.isOf(handshake)) this.#begin(state.packet, handshake);
        return 'progress';
      case 'established':
        if (state.keys.cipher.isOf(handshake)) return 'known';
        return now - receivedAt > SILENCE_BEFORE_REPLACEMENT ? 'another' : 'ignored';
      case 'closed':
        return 'ignored';
    }
  }

  /** The peer has sent data, so it can read us. @returns false if that was known */
  confirm(): boolean {
    if (this.#state.kind !== 'not-confirmed') return false;
    this.#state = { kind: 'established', keys: this.#state.keys };
    return true;
  }

  /** When `attempt` is due next, ms of the clock. */
  get dueAt(): number {
    const { kind } = this.#state;
    return kind === 'established' || kind === 'closed' ? Number.POSITIVE_INFINITY : this.#dueAt;
  }

  /** Returns the packet to send now, if any; 'ask' for a cookie request on each route; 'give up' after 8 unanswered transmissions. */
  attempt(now: number): Buffer | 'ask' | 'wait' | 'give up' {
    const state = this.#state;
    if (state.kind === 'established' || state.kind === 'closed') return 'wait';
    if (now < this.#dueAt) return 'wait';
    const pause = PAUSES[this.#sent];
    if (pause === undefined) return 'give up';
    this.#sent += 1;
    this.#dueAt = now + pause;
    return state.kind === 'cookie-requesting' ? 'ask' : state.packet;
  }

  /** Restarts the attempts, for instance on a new route. */
  retryNow(now: number): void {
    this.#sent = 0;
    this.#dueAt = now;
  }

  /** Wipes all keys. */
  close(reason: CloseReason): void {
    this.keys?.cipher.wipe();
    this.#ours.keyPair.secretKey.wipe();
    this.#state = { kind: 'closed', reason, during: this.lastStage };
  }

  /** @param peerCookie the cookie that the peer gave us, or put into its own handshake */
  #buildHandshake(peerCookie: Buffer): Buffer {
    const { host } = this.#deps;
    return buildHandshake(host.realSecret(this.#peer.realKey), host.random.bytes(NONCE_SIZE), peerCookie, {
      baseNonce: this.#ours.baseNonce,
      sessionKey: this.#ours.keyPair.publicKey,
      cookie: host.issueCookie(this.#peer),
    });
  }

  #makeKeys(handshake: OpenedHandshake): SessionKeys {
    return { cipher: new SessionCipher(this.#ours, handshake), cookieTime: handshake.cookieTime };
  }

  #begin(packet: Buffer, handshake: OpenedHandshake): void {
    const keys = this.#makeKeys(handshake);
    this.keys?.cipher.wipe();
    this.#state = { kind: 'not-confirmed', packet, keys };
    this.#deps.onKeys();
  }
}
