/** Makes what we say to one peer until there is a session. Our half of the session is made once and for all. */
import { type Random, randomId } from '../../base/random.js';
import { generateKeyPair, type KeyPair, type PublicKey } from '../crypto/keys.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
import type { Session } from './connection-state.js';
import { buildCookieRequest, buildHandshake, type OpenedHandshake } from './handshake.js';
import { SessionCipher, type SessionOffer } from './session-cipher.js';

export interface GreeterDeps {
  readonly random: Random;
  readonly identity: KeyPair;
  readonly dhtKey: PublicKey;
  /** Shared by our DHT key and the peer's. */
  readonly dhtSecret: () => Buffer;
  /** Shared by our real key and the peer's. */
  readonly realSecret: () => Buffer;
  /** A cookie of ours for the peer. */
  readonly issueCookie: () => Buffer;
}

export class Greeter {
  readonly #deps: GreeterDeps;
  readonly #ours: SessionOffer;
  readonly #echo: bigint;

  constructor(deps: GreeterDeps) {
    this.#deps = deps;
    const baseNonce = deps.random.bytes(NONCE_SIZE);
    this.#ours = { keyPair: generateKeyPair(deps.random), baseNonce, sendNonce: Buffer.from(baseNonce) };
    this.#echo = randomId(deps.random);
  }

  cookieRequest(): { readonly packet: Buffer; readonly echo: bigint } {
    const { random, identity, dhtKey, dhtSecret } = this.#deps;
    const content = { realKey: identity.publicKey, echo: this.#echo };
    const packet = buildCookieRequest(dhtSecret(), random.bytes(NONCE_SIZE), dhtKey, content);
    return { packet, echo: this.#echo };
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
