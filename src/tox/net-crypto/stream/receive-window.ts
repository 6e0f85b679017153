/** Lossless packets that arrived early and wait for earlier ones; a ring that grows as needed (c-toxcore: Packets_Array). */
import { isPartOfMore, ownedCopy } from '../../../base/bytes.js';
import type { MemoryShare } from '../../../base/memory-budget.js';
import { distanceBetween, isWithin, MAX_NUMBERS, nextNumber } from '../../packet/packet-number.js';

/**
 * Bytes that early packets may hold. A peer of our kind has at most 16,384 packets of 1,445 bytes in flight, which cost
 * 27.9 MB; a hostile peer cannot make us hold more than this.
 */
const MAX_HELD_BYTES = 27 * 1024 * 1024;
/** Cost in bytes of a held packet besides its data: two Buffer objects and their backing. */
const HELD_OVERHEAD = 256;
const FIRST_CAPACITY = 64;
/** Cost of a place in the ring, bytes. */
const PLACE = 8;
/** A ring with only this part in use is shrunk by halves; it then has room to double its content. */
const SHRINK_AT = 8;

/** 'next': the expected packet, which is not stored; 'early': stored; the others are dropped. */
export type Arrival = 'next' | 'early' | 'duplicate' | 'outside' | 'no room';

export class ReceiveWindow {
  #mask = FIRST_CAPACITY - 1;
  #held: (Buffer | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
  readonly #share: MemoryShare;
  #heldBytes = 0;
  #heldCount = 0;
  #start: number;
  #end: number;
  #hasNewHole = false;

  /**
   * @param share of the memory for the early packets of all connections
   * @param first the number of the first packet; always 0 on the wire, tests begin near the wrap
   */
  constructor(share: MemoryShare, first = 0) {
    this.#share = share;
    this.#start = first;
    this.#end = first;
  }

  /** The lowest number that has not arrived. */
  get start(): number {
    return this.#start;
  }

  /** The number after the highest known one. */
  get end(): number {
    return this.#end;
  }

  get hasHoles(): boolean {
    return this.#start !== this.#end;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether a new missing packet was found since the last call. */
  takeNewHole(): boolean {
    const hasNewHole = this.#hasNewHole;
    this.#hasNewHole = false;
    return hasNewHole;
  }

  /** A packet arrived. After 'next' the caller delivers it and then everything that `takeNext` returns. */
  onReceived(number: number, data: Buffer): Arrival {
    const offset = distanceBetween(this.#start, number);
    if (offset === 0) {
      if (this.#start === this.#end) this.#end = nextNumber(number);
      this.#start = nextNumber(number);
      return 'next';
    }
    if (offset >= MAX_NUMBERS) return offset >= 0x8000_0000 ? 'duplicate' : 'outside';
    while (offset > this.#mask) if (!this.#grow()) return 'no room';
    if (this.#held[number & this.#mask] !== undefined) return 'duplicate';
    const cost = data.length + HELD_OVERHEAD;
    if (this.#heldBytes + cost > MAX_HELD_BYTES || !this.#share.take(cost)) return 'no room';
    this.#held[number & this.#mask] = isPartOfMore(data) ? ownedCopy(data) : data;
    this.#heldBytes += cost;
    this.#heldCount += 1;
    const known = distanceBetween(this.#start, this.#end);
    if (offset >= known) {
      if (offset > known) this.#hasNewHole = true;
      this.#end = nextNumber(number);
    }
    return 'early';
  }

  /** Takes the next packet in order; returns undefined while it is missing. */
  takeNext(): Buffer | undefined {
    if (this.#heldCount === 0) return undefined;
    const at = this.#start & this.#mask;
    const data = this.#held[at];
    if (data === undefined) return undefined;
    this.#held[at] = undefined;
    const cost = data.length + HELD_OVERHEAD;
    this.#share.add(-cost);
    this.#heldBytes -= cost;
    this.#heldCount -= 1;
    this.#start = nextNumber(this.#start);
    if (this.#mask >= FIRST_CAPACITY) this.#shrink();
    return data;
  }

  /** The peer reports that it has sent everything before `end`; absurd and stale values are ignored. */
  onAdvertised(end: number): void {
    const offset = distanceBetween(this.#start, end);
    if (offset > MAX_NUMBERS || offset <= distanceBetween(this.#start, this.#end)) return;
    this.#end = end;
    this.#hasNewHole = true;
  }

  /** Whether a number is missing; only for numbers from start to end. */
  isMissing(number: number): boolean {
    if (this.#heldCount === 0 || !isWithin(number, this.#start, this.#mask + 1)) return true;
    return this.#held[number & this.#mask] === undefined;
  }

  /** Drops everything and releases its memory. */
  close(): void {
    this.#held = [];
    this.#heldCount = 0;
    this.#heldBytes = 0;
    this.#share.releaseAll();
  }

  #grow(): boolean {
    const capacity = this.#mask + 1;
    if (!this.#share.take(capacity * PLACE)) return false;
    this.#resize(capacity * 2);
    return true;
  }

  #shrink(): void {
    const span = distanceBetween(this.#start, this.#end);
    const before = this.#mask + 1;
    let capacity = before;
    while (capacity > FIRST_CAPACITY && span * SHRINK_AT <= capacity) capacity /= 2;
    if (capacity === before) return;
    this.#share.add((capacity - before) * PLACE);
    this.#resize(capacity);
  }

  #resize(capacity: number): void {
    const old = this.#held;
    const oldMask = this.#mask;
    this.#mask = capacity - 1;
    this.#held = new Array(capacity).fill(undefined);
    for (let number = this.#start; number !== this.#end; number = nextNumber(number)) {
      if (distanceBetween(this.#start, number) > oldMask) break;
      this.#held[number & this.#mask] = old[number & oldMask];
    }
  }
}
