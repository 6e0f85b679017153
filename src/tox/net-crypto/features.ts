/**
 * What peers of our kind can do beyond c-toxcore, and how they tell each other: by a data packet with an id that c-toxcore drops
 * unread (3; its net_crypto knows 1, 2 and 16 to 254).
 *
 *     3 || features of the sender (bits 0 to 6) and whether it has had such a packet of ours (bit 7)
 *
 * It gets lost like any other packet, so it goes beside the first request packets until the peer says that it has had one.
 */
import { CryptoKind } from '../packet/kind.js';

/** It reads request packets that tell where their lists end (id 4). */
const LIST_END = 0x01;
/** It reads halves of packets (id 5). */
const PARTS = 0x02;
const OURS = LIST_END | PARTS;
const HAS_OURS = 0x80;

/** Packets that a peer gets which never answers, as c-toxcore. */
const COPIES = 8;

export class Features {
  #theirs: number | undefined;
  #left = COPIES;

  /** Whether the peer is of our kind. */
  get areKnown(): boolean {
    return this.#theirs !== undefined;
  }

  get hasListEnd(): boolean {
    return ((this.#theirs ?? 0) & LIST_END) !== 0;
  }

  get hasParts(): boolean {
    return ((this.#theirs ?? 0) & PARTS) !== 0;
  }

  /** The packet that should go now, if one should. */
  next(): Buffer | undefined {
    if (this.#left === 0) return undefined;
    this.#left -= 1;
    return Buffer.from([CryptoKind.Features, OURS | (this.areKnown ? HAS_OURS : 0)]);
  }

  /** @returns whether the peer should be told at once that it was heard */
  receive(data: Buffer): boolean {
    const flags = data[1] ?? 0;
    const isFirst = !this.areKnown;
    this.#theirs = flags & ~HAS_OURS;
    if ((flags & HAS_OURS) === 0) {
      this.#left = Math.max(this.#left, 1);
      return true;
    }
    // One more after the first one heard: it may be the only one that says so.
    this.#left = isFirst ? 1 : 0;
    return false;
  }
}
