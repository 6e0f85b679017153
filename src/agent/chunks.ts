/**
 * The bytes of a tunnel, after the event `open`. The client's are raw, and its end is the end of its direction. Those of the agent
 * come in chunks, because the end of a Unix connection does not tell the end of a tunnel from the death of the agent:
 *
 *     length u32 (big endian) | bytes
 *     0                         the direction has ended; nothing follows
 *     0xffffffff | a line       the tunnel broke; the line is the event `error`
 */
import { encodeLine } from './messages.js';

const HEADER_SIZE = 4;
/** No chunk is that long. */
const ERROR_MARK = 0xffffffff;

/** @param length bytes of a chunk; 0 for the end */
export function encodeChunkHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_SIZE);
  header.writeUInt32BE(length);
  return header;
}

export const encodeErrorChunk = (event: object): Buffer =>
  Buffer.concat([encodeChunkHeader(ERROR_MARK), Buffer.from(encodeLine(event))]);

export interface ChunkHandlers {
  onBytes(bytes: Buffer): void;
  onEnd(): void;
  /** What follows is the line of an error. */
  onError(): void;
}

/** Takes what was read from the socket, and hands on parts of it without a copy. */
export class ChunkReader {
  readonly #handlers: ChunkHandlers;
  readonly #header = Buffer.alloc(HEADER_SIZE);
  #headerLength = 0;
  /** Bytes of the present chunk that are still to come. */
  #missing = 0;

  constructor(handlers: ChunkHandlers) {
    this.#handlers = handlers;
  }

  /** @returns what follows the end or an error; undefined while bytes are expected */
  push(read: Buffer): Buffer | undefined {
    let bytes = read;
    while (bytes.length > 0) {
      if (this.#missing > 0) {
        const part = bytes.subarray(0, this.#missing);
        this.#missing -= part.length;
        bytes = bytes.subarray(part.length);
        this.#handlers.onBytes(part);
        continue;
      }
      const part = bytes.subarray(0, HEADER_SIZE - this.#headerLength);
      part.copy(this.#header, this.#headerLength);
      this.#headerLength += part.length;
      bytes = bytes.subarray(part.length);
      if (this.#headerLength < HEADER_SIZE) break;
      this.#headerLength = 0;
      this.#missing = this.#header.readUInt32BE();
      if (this.#missing !== 0 && this.#missing !== ERROR_MARK) continue;
      if (this.#missing === 0) this.#handlers.onEnd();
      else this.#handlers.onError();
      return bytes;
    }
    return undefined;
  }
}
