/**
 * Seals the return path into sendbacks that only this node can open (spec: "Onion": sendback). The key changes so that old sendbacks
 * cannot be opened later. The previous key stays valid for a while, so that paths survive the change.
 */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { open, seal } from '../crypto/box.js';
import { NONCE_SIZE, SHARED_KEY_SIZE, sodium_memzero } from '../crypto/sodium.js';
import { decodeSendbackContent, encodeSendbackContent, type SendbackContent } from '../packet/onion.js';

/** Specification (c-toxcore KEY_REFRESH_INTERVAL), ms. */
const ROTATION_INTERVAL = 7_200_000;
/** ms; longer than the 300 s for which an announcement with its sendback is stored. */
const GRACE = 600_000;

export class SendbackBox {
  readonly #clock: Clock;
  readonly #random: Random;
  #current: Buffer;
  #previous: Buffer;
  #rotatedAt: number;

  constructor(deps: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#current = this.#random.bytes(SHARED_KEY_SIZE);
    // Random as well, though nothing was ever sealed with it, which saves a special case.
    this.#previous = this.#random.bytes(SHARED_KEY_SIZE);
    this.#rotatedAt = this.#clock.now();
  }

  seal(content: SendbackContent): Buffer {
    this.#rotate();
    const nonce = this.#random.bytes(NONCE_SIZE);
    return Buffer.concat([nonce, seal(this.#current, nonce, encodeSendbackContent(content))]);
  }

  /** Returns undefined when we did not seal it, or too long ago. */
  open(sendback: Buffer): SendbackContent | undefined {
    this.#rotate();
    const nonce = sendback.subarray(0, NONCE_SIZE);
    const sealed = sendback.subarray(NONCE_SIZE);
    let plain = open(this.#current, nonce, sealed);
    if (plain === undefined && this.#clock.now() - this.#rotatedAt < GRACE) plain = open(this.#previous, nonce, sealed);
    return plain === undefined ? undefined : decodeSendbackContent(plain);
  }

  #rotate(): void {
    // Several times after a long silence, so that the previous key is never too old.
    while (this.#clock.now() - this.#rotatedAt >= ROTATION_INTERVAL) {
      sodium_memzero(this.#previous);
      this.#previous = this.#current;
      this.#current = this.#random.bytes(SHARED_KEY_SIZE);
      this.#rotatedAt += ROTATION_INTERVAL;
    }
  }
}
