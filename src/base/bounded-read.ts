/** Reading what may be endless. */
import { readSync } from 'node:fs';
import { systemCodeOf } from './coded-error.js';

/** Bytes. */
const CHUNK_SIZE = 64 * 1024;

/** ms between two looks at what has nothing to read yet. */
const PAUSE = 20;

/**
 * From where it stands, not by its size, which pipes and devices do not have.
 * @param limit bytes
 * @param options.mayWait whether to wait, with the whole thread, where a descriptor that does not block has nothing yet
 * @throws system errors; EAGAIN where it may not wait
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

/** @returns bytes read, 0 at the end, undefined where there is nothing yet */
function readNow(fd: number, chunk: Buffer, mayWait: boolean): number | undefined {
  try {
    return readSync(fd, chunk);
  } catch (error) {
    if (mayWait && systemCodeOf(error) === 'EAGAIN') return undefined;
    throw error;
  }
}

const pause = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
