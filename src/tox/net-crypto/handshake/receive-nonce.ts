/**
 * Reconstructs the nonce of a received packet from its 16 transmitted bits (c-toxcore: handle_data_packet): the nonce lies
 * 0 to 65535 after a base, and the base advances by a third of that once packets arrive from the last third.
 */
import { ownedCopy } from '../../../base/bytes.js';
import { advanceNonce, nonceAfter } from '../../crypto/nonce.js';
import { NONCE_SIZE } from '../../crypto/sodium.js';

/** Specification (DATA_NUM_THRESHOLD). */
const STEP = 21_845;
/**
 * Packets before the newest one for which we know whether they arrived. A relay's queue may hold as many packets as
 * overtook its first one by UDP; older packets count as copies.
 */
const REMEMBERED = 8192;
const LOW_AT = NONCE_SIZE - 2;

export class ReceiveNonce {
  /** The base; its last two bytes are scratch. */
  #base: Buffer;
  /** The base plus 2^16, for packets whose 16 bits have wrapped. */
  #carried: Buffer;
  #low: number;
  /** Number of packets before the base. */
  #baseNumber = 0;
  /** The highest packet number received, counted from the start of the session. */
  #newest = -1;
  /** Whether each of the last numbers was received; a ring. */
  readonly #received = new Uint8Array(REMEMBERED);

  /** @param base the base nonce in the peer's handshake, 24 bytes, copied */
  constructor(base: Buffer) {
    this.#base = ownedCopy(base);
    this.#carried = nonceAfter(base, 0x1_0000);
    this.#low = base.readUInt16BE(LOW_AT);
  }

  /** Returns the full nonce, valid until the next call. @param low the last 16 bits */
  full(low: number): Buffer {
    const nonce = low >= this.#low ? this.#base : this.#carried;
    nonce[LOW_AT] = low >> 8;
    nonce[LOW_AT + 1] = low & 0xff;
    return nonce;
  }

  /**
   * The packet with these 16 bits was authentic.
   * @returns whether it arrived for the first time: false for every copy, and for a very late packet
   */
  onOpened(low: number): boolean {
    const ahead = (low - this.#low) & 0xffff;
    const isFirst = this.#note(this.#baseNumber + ahead);
    if (ahead > 2 * STEP) this.#move();
    return isFirst;
  }

  #note(number: number): boolean {
    if (this.#newest - number >= REMEMBERED) return false;
    // The packets between the newest one and this one have not arrived yet.
    const first = Math.max(this.#newest + 1, number - REMEMBERED + 1);
    for (let missing = first; missing <= number; missing += 1) this.#received[missing % REMEMBERED] = 0;
    this.#newest = Math.max(this.#newest, number);
    const isFirst = this.#received[number % REMEMBERED] === 0;
    this.#received[number % REMEMBERED] = 1;
    return isFirst;
  }

  #move(): void {
    const base = this.full(this.#low);
    advanceNonce(base, STEP);
    this.#carried = nonceAfter(base, 0x1_0000);
    this.#base = base;
    this.#low = base.readUInt16BE(LOW_AT);
    this.#baseNumber += STEP;
  }
}
