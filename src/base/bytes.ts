/**
 * Reads and writes packets. A reader never throws: after a read past the end all reads return zeros, and the decoder checks once, at
 * its end, whether all reads were valid. Integers are big endian unless named `…LE`.
 */

const NOTHING = Buffer.alloc(0);

export class ByteReader {
  readonly #source: Buffer;
  #offset = 0;
  #failed = false;

  constructor(source: Buffer) {
    this.#source = source;
  }

  /** False after a read past the end. */
  get ok(): boolean {
    return !this.#failed;
  }

  /** True if everything was read, and nothing past the end. */
  get isComplete(): boolean {
    return !this.#failed && this.#offset === this.#source.length;
  }

  get remaining(): number {
    return this.#source.length - this.#offset;
  }

  #take(length: number): number {
    const start = this.#offset;
    if (this.#failed || length < 0 || start + length > this.#source.length) {
      this.#failed = true;
      return -1;
    }
    this.#offset = start + length;
    return start;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : (this.#source[at] as number);
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#source.readUInt16BE(at);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#source.readUInt32BE(at);
  }

  u64(): bigint {
    const at = this.#take(8);
    return at < 0 ? 0n : this.#source.readBigUInt64BE(at);
  }

  u16LE(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#source.readUInt16LE(at);
  }

  u32LE(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#source.readUInt32LE(at);
  }

  /** Returns a view of the next bytes, empty past the end. It must be copied to be kept longer than the packet. */
  bytes(length: number): Buffer {
    const at = this.#take(length);
    return at < 0 ? NOTHING : this.#source.subarray(at, at + length);
  }

  /** Returns a view of all remaining bytes. */
  rest(): Buffer {
    return this.bytes(this.remaining);
  }

  skip(length: number): void {
    this.#take(length);
  }
}

export class ByteWriter {
  readonly #target: Buffer;
  #offset = 0;

  /** @param size the exact number of bytes that will be written */
  constructor(size: number) {
    this.#target = Buffer.allocUnsafe(size);
  }

  u8(value: number): this {
    this.#offset = this.#target.writeUInt8(value, this.#offset);
    return this;
  }

  u16(value: number): this {
    this.#offset = this.#target.writeUInt16BE(value, this.#offset);
    return this;
  }

  u32(value: number): this {
    this.#offset = this.#target.writeUInt32BE(value, this.#offset);
    return this;
  }

  u64(value: bigint): this {
    this.#offset = this.#target.writeBigUInt64BE(value, this.#offset);
    return this;
  }

  u16LE(value: number): this {
    this.#offset = this.#target.writeUInt16LE(value, this.#offset);
    return this;
  }

  u32LE(value: number): this {
    this.#offset = this.#target.writeUInt32LE(value, this.#offset);
    return this;
  }

  bytes(value: Buffer): this {
    if (this.#offset + value.length > this.#target.length)
      throw new RangeError('ByteWriter: more bytes than announced');
    value.copy(this.#target, this.#offset);
    this.#offset += value.length;
    return this;
  }

  zeros(length: number): this {
    this.#target.fill(0, this.#offset, this.#offset + length);
    this.#offset += length;
    return this;
  }

  /** Returns the packet. @throws RangeError if it does not have the announced size */
  finish(): Buffer {
    if (this.#offset !== this.#target.length) {
      throw new RangeError(`ByteWriter: ${this.#offset} bytes written of ${this.#target.length}`);
    }
    return this.#target;
  }
}

/** Returns a copy outside of Node's shared pool, for bytes that are kept longer than a packet. */
export function ownedCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

/** Returns whether the bytes are less than half of the memory that they keep alive. */
export function isPartOfMore(bytes: Buffer): boolean {
  return bytes.length * 2 < bytes.buffer.byteLength;
}
