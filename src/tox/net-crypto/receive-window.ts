/** Lossless packets that came early, until those before them have come; a ring that grows (c-toxcore: Packets_Array). */
import { addToNumber, distanceBetween, isWithin, nextNumber } from './packet-number.js';

/** Specification (CRYPTO_PACKET_BUFFER_SIZE): numbers from the first missing one that are taken. */
const MAX_NUMBERS = 32_768;

/**
 * Implementation: bytes that early packets may hold. A peer of our kind has 16,384 packets of 1,400 bytes in flight at the
 * most, which is 23 MB; a hostile one makes us hold no more than this.
 */
const MAX_HELD_BYTES = 24 * 1024 * 1024;
/** Implementation: what a held packet costs besides its bytes: two Buffer objects and their backing. */
const HELD_OVERHEAD = 256;
const FIRST_CAPACITY = 64;

/** 'next': it is the one awaited, and not kept; 'early': kept; the others are dropped. */
export type Arrival = 'next' | 'early' | 'duplicate' | 'outside' | 'no room';

export class ReceiveWindow {
  #mask = FIRST_CAPACITY - 1;
  #held: (Buffer | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
  #heldBytes = 0;
  #heldCount = 0;
  #start: number;
  #end: number;
  #hasNewHole = false;

  /** @param first the number of the first packet; always 0 on the wire, tests begin near the wrap */
  constructor(first = 0) {
    this.#start = first;
    this.#end = first;
  }

  /** The lowest number that has not come. */
  get start(): number {
    return this.#start;
  }

  /** The number after the highest one known of. */
  get end(): number {
    return this.#end;
  }

  get hasHoles(): boolean {
    return this.#start !== this.#end;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether since the last call some packet was found missing that was not known to be. */
  takeNewHole(): boolean {
    const hasNewHole = this.#hasNewHole;
    this.#hasNewHole = false;
    return hasNewHole;
  }

  /** A packet came. After 'next' the caller delivers it and then all that `takeNext` gives. */
  arrived(number: number, data: Buffer): Arrival {
    const offset = distanceBetween(this.#start, number);
    if (offset === 0) {
      if (this.#start === this.#end) this.#end = nextNumber(number);
      this.#start = nextNumber(number);
      return 'next';
    }
    if (offset >= MAX_NUMBERS) return offset >= 0x8000_0000 ? 'duplicate' : 'outside';
    while (offset > this.#mask) this.#grow();
    if (this.#held[number & this.#mask] !== undefined) return 'duplicate';
    const cost = data.length + HELD_OVERHEAD;
    if (this.#heldBytes + cost > MAX_HELD_BYTES) return 'no room';
    this.#held[number & this.#mask] = data;
    this.#heldBytes += cost;
    this.#heldCount += 1;
    const known = distanceBetween(this.#start, this.#end);
    if (offset >= known) {
      if (offset > known) this.#hasNewHole = true;
      this.#end = nextNumber(number);
    }
    return 'early';
  }

  /** The packet that is in turn, or undefined while it is missing. */
  takeNext(): Buffer | undefined {
    if (this.#heldCount === 0) return undefined;
    const at = this.#start & this.#mask;
    const data = this.#held[at];
    if (data === undefined) return undefined;
    this.#held[at] = undefined;
    this.#heldBytes -= data.length + HELD_OVERHEAD;
    this.#heldCount -= 1;
    this.#start = nextNumber(this.#start);
    return data;
  }

  /** The peer says that it has sent all before `end`; absurd and stale values are ignored. */
  advertised(end: number): void {
    const offset = distanceBetween(this.#start, end);
    if (offset > MAX_NUMBERS || offset <= distanceBetween(this.#start, this.#end)) return;
    this.#end = end;
    this.#hasNewHole = true;
  }

  /** Only for numbers from start to end. */
  isMissing(number: number): boolean {
    if (this.#heldCount === 0 || !isWithin(number, this.#start, this.#mask + 1)) return true;
    return this.#held[number & this.#mask] === undefined;
  }

  #grow(): void {
    const old = this.#held;
    const oldMask = this.#mask;
    this.#mask = (oldMask + 1) * 2 - 1;
    this.#held = new Array(this.#mask + 1).fill(undefined);
    for (let offset = 0; offset <= oldMask; offset += 1) {
      const number = addToNumber(this.#start, offset);
      this.#held[number & this.#mask] = old[number & oldMask];
    }
  }
}
