/** Reads up to a limit. */
import { readSync } from 'node:fs';
import { systemCodeOf } from './coded-error.js';

/** Bytes. */
const CHUNK_SIZE = 64 * 1024;

/** ms between two attempts to read. */
const PAUSE = 20;

/**
 * Reads from the current position, because pipes and devices have no size.
 * @param limit bytes
 * @param options.mayWait whether to block until a non-blocking descriptor has data
 * @throws system errors; EAGAIN if it may not wait
 */
export function readUpTo(fd: number, limit: number, { mayWait = false } = {}): Buffer {
  const chunks: Buffer[] = [];
  for (let left = limit; left > 0; ) {
    const chunk = Buffer.alloc(Math.min(left, CHUNK_SIZE));
    const length = readNow(fd, chunk, mayWait);
    if (length === undefined) {
      pause();
      continue;
    }
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
    left -= length;
  }
  return Buffer.concat(chunks);
}

/** @returns bytes read, 0 at the end, undefined if there is nothing yet */
function readNow(fd: number, chunk: Buffer, mayWait: boolean): number | undefined {
  try {
    return readSync(fd, chunk);
  } catch (error) {
    if (mayWait && systemCodeOf(error) === 'EAGAIN') return undefined;
    throw error;
  }
}

const pause = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
