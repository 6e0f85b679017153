/** Reading what may be endless. */
import { readSync } from 'node:fs';

/** Bytes. */
const CHUNK_SIZE = 64 * 1024;

/** From where it stands, not by its size, which pipes and devices do not have. @param limit bytes @throws system errors */
export function readUpTo(fd: number, limit: number): Buffer {
  const chunks: Buffer[] = [];
  for (let left = limit; left > 0; ) {
    const chunk = Buffer.alloc(Math.min(left, CHUNK_SIZE));
    const length = readSync(fd, chunk);
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
    left -= length;
  }
  return Buffer.concat(chunks);
}
