/** Puts the fragments of datagrams together, in any order. A datagram that lacks one after a second is lost, like all of UDP. Pure. */
import { ownedCopy } from '../../base/bytes.js';
import type { MemoryShare } from '../../base/memory-budget.js';
import { type Fragment, MAX_DATAGRAM } from './datagram-packet.js';

/** ms from the first fragment to the last one. */
export const REASSEMBLY_TIME = 1_000;
/** Datagrams of one session that lack fragments; another one takes the place of the oldest. */
const MAX_PARTIAL = 32;
/** Bytes that a waiting fragment takes besides its own. */
const FRAGMENT_OVERHEAD = 200;

interface PartialDatagram {
  readonly count: number;
  readonly since: number;
  readonly parts: Map<number, Buffer>;
  bytes: number;
}

export class Reassembly {
  readonly #memory: MemoryShare;
  /** By number, the oldest first. */
  readonly #partial = new Map<number, PartialDatagram>();

  constructor(memory: MemoryShare) {
    this.#memory = memory;
  }

  /** Whether fragments wait for others. */
  get isWaiting(): boolean {
    return this.#partial.size > 0;
  }

  /** @returns the datagram, once all its fragments are there */
  add({ number, index, count }: Fragment, bytes: Buffer, now: number): Buffer | undefined {
    this.expire(now);
    let partial = this.#partial.get(number);
    if (partial !== undefined && partial.count !== count) this.#drop(number);
    if (partial === undefined || partial.count !== count) partial = this.#begin(number, count, now);
    if (partial.parts.has(index)) return undefined;
    if (partial.bytes + bytes.length > MAX_DATAGRAM || !this.#makeRoom(bytes.length + FRAGMENT_OVERHEAD, number)) {
      this.#drop(number);
      return undefined;
    }
    // A packet may be a small part of what was read at once.
    partial.parts.set(index, ownedCopy(bytes));
    partial.bytes += bytes.length;
    if (partial.parts.size < count) return undefined;
    const whole = Array.from({ length: count }, (_, at) => partial.parts.get(at) as Buffer);
    this.#drop(number);
    return Buffer.concat(whole);
  }

  /** Forgets datagrams whose time is over. */
  expire(now: number): void {
    for (const [number, { since }] of this.#partial) {
      if (now - since < REASSEMBLY_TIME) return;
      this.#drop(number);
    }
  }

  close(): void {
    this.#partial.clear();
    this.#memory.releaseAll();
  }

  #begin(number: number, count: number, now: number): PartialDatagram {
    const [oldest] = this.#partial.keys();
    if (oldest !== undefined && this.#partial.size >= MAX_PARTIAL) this.#drop(oldest);
    const partial = { count, since: now, parts: new Map<number, Buffer>(), bytes: 0 };
    this.#partial.set(number, partial);
    return partial;
  }

  /** Counts the bytes. @param number whose other fragments must stay */
  #makeRoom(bytes: number, number: number): boolean {
    while (!this.#memory.take(bytes)) {
      const [oldest] = this.#partial.keys();
      if (oldest === undefined || oldest === number) return false;
      this.#drop(oldest);
    }
    return true;
  }

  #drop(number: number): void {
    const partial = this.#partial.get(number);
    if (partial === undefined) return;
    this.#partial.delete(number);
    this.#memory.add(-(partial.bytes + partial.parts.size * FRAGMENT_OVERHEAD));
  }
}
