/** Blocks of memory that are used again: buffers that are made for each wait grow old, and then the whole heap has to be collected. */

/** Bytes of the smallest and the largest block of `sizeUpTo` and `sizeFor`, which give powers of two. */
export const MIN_BLOCK = 4 * 1024;
const MAX_BLOCK = 64 * 1024;
export class BlockPool {
  readonly #free = new Map<number, Buffer[]>();
  readonly #mostFree: number;
  #freeBytes = 0;

  /** @param mostFree bytes of blocks that are kept without use */
  constructor(mostFree: number) {
    this.#mostFree = mostFree;
  }

  take(size: number): Buffer {
    const block = this.#free.get(size)?.pop();
    if (block === undefined) return Buffer.allocUnsafeSlow(size);
    this.#freeBytes -= size;
    return block;
  }

  /** Nobody reads or writes the block any more. @param block of `take` */
  release(block: Buffer): void {
    const size = block.length;
    if (this.#freeBytes + size > this.#mostFree) return;
    this.#freeBytes += size;
    const same = this.#free.get(size);
    if (same === undefined) this.#free.set(size, [block]);
    else same.push(block);
  }
}

/** The largest size that is at most so many bytes, or the smallest one. */
export const sizeUpTo = (bytes: number): number =>
  2 ** Math.floor(Math.log2(Math.max(MIN_BLOCK, Math.min(MAX_BLOCK, bytes))));

/** The smallest size that has room for so many bytes, or the largest one. */
export const sizeFor = (bytes: number): number =>
  2 ** Math.ceil(Math.log2(Math.max(MIN_BLOCK, Math.min(MAX_BLOCK, bytes))));
