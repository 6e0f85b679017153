/** Blocks of memory that are used again: buffers that are made for each wait grow old, and then the whole heap has to be collected. */

/** Bytes of the smallest and the largest block; all sizes are powers of two. */
export const MIN_BLOCK = 4 * 1024;
const MAX_BLOCK = 64 * 1024;
/** Bytes of blocks that are kept without use: as many as a program that slept takes at once. */
const MOST_FREE = 1024 * 1024;

const freeBlocks = new Map<number, Buffer[]>();
let freeBytes = 0;

/** @param size a power of two within the bounds */
export function takeBlock(size: number): Buffer {
  const block = freeBlocks.get(size)?.pop();
  if (block === undefined) return Buffer.allocUnsafeSlow(size);
  freeBytes -= size;
  return block;
}

/** Nobody reads or writes the block any more. @param block of `takeBlock` */
export function releaseBlock(block: Buffer): void {
  const size = block.length;
  if (freeBytes + size > MOST_FREE) return;
  freeBytes += size;
  const same = freeBlocks.get(size);
  if (same === undefined) freeBlocks.set(size, [block]);
  else same.push(block);
}

/** The largest size that is at most so many bytes, or the smallest one. */
export const sizeUpTo = (bytes: number): number =>
  2 ** Math.floor(Math.log2(Math.max(MIN_BLOCK, Math.min(MAX_BLOCK, bytes))));

/** The smallest size that has room for so many bytes, or the largest one. */
export const sizeFor = (bytes: number): number =>
  2 ** Math.ceil(Math.log2(Math.max(MIN_BLOCK, Math.min(MAX_BLOCK, bytes))));
