/** Makes what we say to one peer until there is a session. Our half of the session is made once and for all. */
import type { Random } from '../../base/random.js';
import { generateKeyPair } from '../crypto/keys.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
import type { Session } from './connection-state.js';
import { buildHandshake, type OpenedHandshake } from './handshake.js';
import { SessionCipher, type SessionOffer } from './session-cipher.js';

export interface GreeterDeps {
  readonly random: Random;
  /** Shared by our real key and the peer's. */
  readonly realSecret: () => Buffer;
  /** A cookie of ours for the peer. */
  readonly issueCookie: () => Buffer;
}

export class Greeter {
  readonly #deps: GreeterDeps;
  readonly #ours: SessionOffer;

  constructor(deps: GreeterDeps) {
    this.#deps = deps;
    const baseNonce = deps.random.bytes(NONCE_SIZE);
    this.#ours = { keyPair: generateKeyPair(deps.random), baseNonce, sendNonce: Buffer.from(baseNonce) };
  }

  /** @param peerCookie the cookie that the peer gave us, or put into its own handshake */
  handshake(peerCookie: Buffer): Buffer {
    const { random, realSecret, issueCookie } = this.#deps;
    return buildHandshake(realSecret(), random.bytes(NONCE_SIZE), peerCookie, {
      baseNonce: this.#ours.baseNonce,
      sessionKey: this.#ours.keyPair.publicKey,
      cookie: issueCookie(),
    });
  }

  session(handshake: OpenedHandshake): Session {
    return { cipher: new SessionCipher(this.#ours, handshake), cookieTime: handshake.cookieTime };
  }

  /** Overwrites the secret key of our half. */
  wipe(): void {
    this.#ours.keyPair.secretKey.wipe();
  }
}
