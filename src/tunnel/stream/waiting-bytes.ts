/**
 * Bytes from the peer that wait for the local program, in order. They are copied, because a piece would keep all the memory that it
 * came in: 64 KiB of datagrams that were received together, while a peer may send one byte in each frame. They lie in blocks that are
 * used again (block-pool). A block has 4 KiB, or at most as much as waits already. So the bytes take at most twice their number and
 * 4 KiB, and what was taken of the first block.
 */
import { ownedCopy } from '../../base/bytes.js';
import { BlockPool, MIN_BLOCK, sizeFor, sizeUpTo } from './block-pool.js';

/** Of all local programs; it keeps as many bytes as a program that slept takes at once. */
export const programBlocks = new BlockPool(1024 * 1024);

export class WaitingBytes {
  /** All are full but the last one. */
  #blocks: Buffer[] = [];
  /** Where the bytes begin in the first block, and end in the last one. */
  #from = 0;
  #end = 0;
  #size = 0;
  /** Whether somebody reads what was taken last, how much it was, and its blocks of which nothing else waits. */
  #isTaken = false;
  #takenSize = 0;
  #taken: Buffer[] = [];

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  push(data: Buffer): void {
    this.#size += data.length;
    for (let at = 0; at < data.length; ) {
      let block = this.#blocks.at(-1);
      if (block === undefined || this.#end === block.length) {
        // What does not wait for long is probably as much as the last time.
        const isFirst = block === undefined && !this.#isTaken;
        block = programBlocks.take(isFirst ? sizeFor(this.#takenSize) : sizeUpTo(this.#size));
        this.#blocks.push(block);
        this.#end = 0;
      }
      const count = Math.min(data.length - at, block.length - this.#end);
      block.set(count === data.length ? data : data.subarray(at, at + count), this.#end);
      this.#end += count;
      at += count;
    }
  }

  /** Returns the first bytes, at most `limit`; they are valid until `release`. */
  take(limit: number): Buffer[] {
    const pieces: Buffer[] = [];
    let left = Math.min(limit, this.#size);
    this.#size -= left;
    this.#isTaken = true;
    this.#takenSize = left;
    while (left > 0) {
      const block = this.#blocks[0] as Buffer;
      const end = this.#blocks.length === 1 ? this.#end : block.length;
      const to = Math.min(end, this.#from + left);
      left -= to - this.#from;
      pieces.push(this.#piece(block, to, to === end));
      this.#from = to === end ? 0 : to;
    }
    return pieces;
  }

  #piece(block: Buffer, to: number, isRest: boolean): Buffer {
    const piece = block.subarray(this.#from, to);
    if (!isRest) return piece;
    this.#blocks.shift();
    if (piece.length * 2 >= block.length) {
      this.#taken.push(block);
      return piece;
    }
    // The program may take its time.
    const copy = this.#copyOf(piece);
    programBlocks.release(block);
    return copy;
  }

  #copyOf(piece: Buffer): Buffer {
    if (piece.length * 2 < MIN_BLOCK) return ownedCopy(piece);
    const block = programBlocks.take(sizeFor(piece.length));
    this.#taken.push(block);
    block.set(piece);
    return block.subarray(0, piece.length);
  }

  /** Nobody reads any more what was taken. */
  release(): void {
    this.#isTaken = false;
    for (const block of this.#taken) programBlocks.release(block);
    this.#taken = [];
  }

  /** Discards what waits. What was taken is still valid. */
  clear(): void {
    this.#blocks = [];
    this.#taken = [];
    this.#from = 0;
    this.#end = 0;
    this.#size = 0;
  }
}
