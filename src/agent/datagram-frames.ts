/**
 * The datagrams of a UDP session on the agent's socket, in the place of the bytes of a tunnel (chunks.ts), both ways:
 *
 *     length u16 (big endian) | bytes
 */

const HEADER_SIZE = 2;
const MAX_LENGTH = 0xffff;

/** @param bytes at most 65,535 */
export function encodeDatagramFrame(bytes: Buffer): Buffer {
  if (bytes.length > MAX_LENGTH) throw new RangeError(`datagram frame: ${bytes.length} bytes`);
  const frame = Buffer.allocUnsafe(HEADER_SIZE + bytes.length);
  frame.writeUInt16BE(bytes.length);
  frame.set(bytes, HEADER_SIZE);
  return frame;
}

/** Takes what was read from the socket, and gives whole datagrams. Keeps less than one of them. */
export class DatagramFrameReader {
  readonly #onDatagram: (bytes: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onDatagram: (bytes: Buffer) => void) {
    this.#onDatagram = onDatagram;
  }

  push(read: Buffer): void {
    const bytes = this.#rest.length === 0 ? read : Buffer.concat([this.#rest, read]);
    let at = 0;
    while (bytes.length - at >= HEADER_SIZE) {
      const end = at + HEADER_SIZE + bytes.readUInt16BE(at);
      if (end > bytes.length) break;
      this.#onDatagram(bytes.subarray(at + HEADER_SIZE, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}
