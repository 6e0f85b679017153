/**
 * What peers of our kind can do beyond c-toxcore. They announce it in a data packet with an id that c-toxcore drops unread (3; its
 * net_crypto knows 1, 2 and 16 to 254).
 *
 *     3 || features of the sender (bits 0 to 6) and whether it has received our feature packet (bit 7)
 *
 * The packet may be lost, so it goes beside request packets until each side has the features of the other and knows that the other has
 * its own. A request packet that only a peer of our kind sends (ids 4 and 6) says so, too. A peer that never answers gets fewer and
 * fewer of them; those sent while nothing arrives do not count, since the path may have lost them all.
 */
import { CryptoKind } from '../../packet/kind.js';
import { EXTENDED_CRYPTO_DATA_SIZE, MAX_CRYPTO_DATA_SIZE } from '../../packet/net-crypto.js';

/** The sender reads request packets that state where their lists end (id 4). */
const LIST_END = 0x01;
/** The sender reads halves of packets (id 5). */
const PARTS = 0x02;
/** The sender takes packets of up to 1,472 bytes. */
const EXTENDED_SIZE = 0x04;
/** The sender reads request packets that state when the last packet arrived (id 6). */
const TIMES = 0x08;
const OURS = LIST_END | PARTS | EXTENDED_SIZE | TIMES;
const HAS_OURS = 0x80;

/** Packets beside the first request packets, and ms between further ones, doubled each time, to a peer that never answers, such as c-toxcore. */
const COPIES = 8;
const FIRST_INTERVAL = 1000;
const LONGEST_INTERVAL = 64_000;

export class Features {
  #theirs: number | undefined;
  /** Whether the peer is known to have ours. */
  #isAcknowledged = false;
  /** Whether the peer waits for an answer. */
  #isOwed = false;
  /** Whether a packet of the peer has arrived since the last copy. */
  #isHeard = false;
  #left = COPIES;
  #interval = FIRST_INTERVAL;
  #nextAt = Number.NEGATIVE_INFINITY;

  /** Whether the peer is of our kind. */
  get isOurKind(): boolean {
    return this.#theirs !== undefined;
  }

  get hasListEnd(): boolean {
    return ((this.#theirs ?? 0) & LIST_END) !== 0;
  }

  get hasParts(): boolean {
    return ((this.#theirs ?? 0) & PARTS) !== 0;
  }

  /** Most bytes of data that the peer takes in a packet. */
  get maxData(): number {
    return ((this.#theirs ?? 0) & EXTENDED_SIZE) === 0 ? MAX_CRYPTO_DATA_SIZE : EXTENDED_CRYPTO_DATA_SIZE;
  }

  get hasTimes(): boolean {
    return ((this.#theirs ?? 0) & TIMES) !== 0;
  }

  /** Returns the packet to send beside a request packet, if one is due. @param now ms */
  next(now: number): Buffer | undefined {
    const isKnown = this.#isAcknowledged && this.isOurKind;
    if (!this.#isOwed && (isKnown || now < this.#nextAt)) return undefined;
    this.#isOwed = false;
    if (this.#isHeard) this.#countCopy(now);
    this.#isHeard = false;
    return Buffer.from([CryptoKind.Features, OURS | (this.isOurKind ? HAS_OURS : 0)]);
  }

  #countCopy(now: number): void {
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#nextAt = now + this.#interval;
    if (!this.#isAcknowledged) this.#interval = Math.min(LONGEST_INTERVAL, 2 * this.#interval);
  }

  /** A packet of the peer arrived. @param id its first byte */
  onReceived(id: number): void {
    this.#isHeard = true;
    if (this.#isAcknowledged || (id !== CryptoKind.RequestWithEnd && id !== CryptoKind.RequestWithTime)) return;
    this.#isAcknowledged = true;
    this.#interval = FIRST_INTERVAL;
    this.#nextAt = Number.NEGATIVE_INFINITY;
  }

  /** @returns whether the peer should be answered at once */
  receive(data: Buffer): boolean {
    const flags = data[1] ?? 0;
    const hasOurs = (flags & HAS_OURS) !== 0;
    // The first packet is answered as well if it reports ours: no later one may come that tells the peer that we have it.
    this.#isOwed = !hasOurs || !this.isOurKind;
    this.#theirs = flags & ~HAS_OURS;
    if (hasOurs) this.#isAcknowledged = true;
    return !hasOurs;
  }
}
