/**
 * The handshake of two peers, up to the session that it gives them: holds the state that `connection-state` describes. It
 * decides which packet goes next and what the packets of the peer mean; the connection chooses the routes that they take.
 */
import { generateKeyPair } from '../crypto/keys.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
import type { ConnectionHost, PeerKeys } from './connection-host.js';
import { type CloseReason, type ConnectionState, type Session, type Stage, sessionOf } from './connection-state.js';
import { buildHandshake, type OpenedHandshake } from './handshake.js';
import { RetransmitSchedule } from './retransmit-schedule.js';
import { SessionCipher, type SessionOffer } from './session-cipher.js';

/**
 * ms. A living peer sends once a second; after this much silence, a handshake of the same run of the same
 * peer means that it has lost the session. c-toxcore ignores it until its own timeout, 32 s.
 */
const SILENCE_BEFORE_REPLACEMENT = 3500;

type Keys = 'random' | 'realSecret' | 'issueCookie';

export interface HandshakeStateDeps {
  readonly host: Pick<ConnectionHost<unknown>, Keys>;
  /** We can seal for the peer now, or with a new key. */
  readonly onSession: () => void;
}

/**
 * What a handshake of the peer means. 'progress': it brings the session nearer. 'known': it belongs to the established session
 * and was sent again, or copied. 'another': the peer starts a new session. 'outdated': it is a copy of an earlier handshake.
 * 'ignored': it means nothing in this state.
 */
export type HandshakeMeaning = 'progress' | 'known' | 'another' | 'outdated' | 'ignored';

export interface HandshakeStateOptions {
  readonly peer: PeerKeys;
  /** ms of the clock. */
  readonly now: number;
  /** The peer's handshake that this answers; without one, a cookie is requested. */
  readonly accepted: OpenedHandshake | undefined;
}

export class HandshakeState {
  readonly #deps: HandshakeStateDeps;
  readonly #peer: PeerKeys;
  /** Our half of the session; it is made once, whatever handshakes come. */
  readonly #ours: SessionOffer;
  readonly #attempts: RetransmitSchedule;
  #state: ConnectionState;

  constructor(deps: HandshakeStateDeps, { peer, now, accepted }: HandshakeStateOptions) {
    this.#deps = deps;
    this.#peer = peer;
    const { host } = deps;
    const baseNonce = host.random.bytes(NONCE_SIZE);
    this.#ours = { keyPair: generateKeyPair(host.random), baseNonce, sendNonce: Buffer.from(baseNonce) };
    this.#attempts = new RetransmitSchedule(now);
    this.#state =
      accepted === undefined
        ? { kind: 'cookie-requesting' }
        : {
            kind: 'not-confirmed',
            packet: this.#buildHandshake(accepted.cookie),
            session: this.#makeSession(accepted),
          };
  }

  get state(): ConnectionState['kind'] {
    return this.#state.kind;
  }

  /** The stage at which it was closed; the current stage while it is open. */
  get lastStage(): Stage {
    return this.#state.kind === 'closed' ? this.#state.during : this.#state.kind;
  }

  /** The session, once the peer's handshake has arrived. */
  get session(): Session | undefined {
    return sessionOf(this.#state);
  }

  /** The peer has given us this cookie. */
  receiveCookie(cookie: Buffer, now: number): void {
    if (this.#state.kind !== 'cookie-requesting') return;
    this.#state = { kind: 'handshake-sent', packet: this.#buildHandshake(cookie) };
    this.#attempts.restart(now);
  }

  /** @param receivedAt when the last packet of the session was received, ms of the clock */
  receiveHandshake(handshake: OpenedHandshake, now: number, receivedAt: number): HandshakeMeaning {
    const state = this.#state;
    // Its cookie is older than the one of the session.
    if (this.session !== undefined && handshake.cookieTime < this.session.cookieTime) return 'outdated';
    if (!this.#peer.dhtKey.equals(handshake.dhtKey)) return 'another';
    switch (state.kind) {
      case 'cookie-requesting':
        // Both connected at once, and the peer was faster: its handshake brings the cookie that we requested.
        this.#begin(this.#buildHandshake(handshake.cookie), handshake);
        this.#attempts.restart(now);
        return 'progress';
      case 'handshake-sent':
        this.#begin(state.packet, handshake);
        return 'progress';
      case 'not-confirmed':
        if (!state.session.cipher.isOf(handshake)) this.#begin(state.packet, handshake);
        return 'progress';
      case 'established':
        if (state.session.cipher.isOf(handshake)) return 'known';
        return now - receivedAt > SILENCE_BEFORE_REPLACEMENT ? 'another' : 'ignored';
      case 'closed':
        return 'ignored';
    }
  }

  /** The peer has sent data, so it can read us. @returns false if that was known */
  confirm(): boolean {
    if (this.#state.kind !== 'not-confirmed') return false;
    this.#state = { kind: 'established', session: this.#state.session };
    return true;
  }

  /** When `attempt` is due next, ms of the clock. */
  get dueAt(): number {
    const { kind } = this.#state;
    return kind === 'established' || kind === 'closed' ? Number.POSITIVE_INFINITY : this.#attempts.dueAt;
  }

  /** Returns the packet to send now, if any; 'ask' for a cookie request on each route; 'give up' after eight unanswered attempts. */
  attempt(now: number): Buffer | 'ask' | 'wait' | 'give up' {
    const state = this.#state;
    if (state.kind === 'established' || state.kind === 'closed') return 'wait';
    const verdict = this.#attempts.attempt(now);
    if (verdict !== 'send') return verdict;
    return state.kind === 'cookie-requesting' ? 'ask' : state.packet;
  }

  /** Restarts the attempts, for instance on a new route. */
  retryNow(now: number): void {
    this.#attempts.restart(now);
  }

  /** Wipes all keys. */
  close(reason: CloseReason): void {
    this.session?.cipher.wipe();
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

  #makeSession(handshake: OpenedHandshake): Session {
    return { cipher: new SessionCipher(this.#ours, handshake), cookieTime: handshake.cookieTime };
  }

  #begin(packet: Buffer, handshake: OpenedHandshake): void {
    const session = this.#makeSession(handshake);
    this.session?.cipher.wipe();
    this.#state = { kind: 'not-confirmed', packet, session };
    this.#deps.onSession();
  }
}
