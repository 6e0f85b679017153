/**
 * The frames of a tunnel that wait to be sent. Those of a large transfer lie in memory that is used again and again: buffers that are
 * made for each chunk grow old while many tunnels wait for their turn, and then the whole heap has to be collected several times a
 * second to free them.
 */
import { encodeFrames, FRAME_HEADER_SIZE, frameAt, framesSize } from '../wire/frame.js';
import { BlockPool } from './block-pool.js';

/** Bytes: for what waits when a source is resumed (local-reader), the chunk of 64 KiB that it then gives, and their headers. */
const BLOCK_SIZE = (32 + 64 + 4) * 1024;
/** Bytes. Fewer have memory of their own, so a block is at least half full when it is taken. */
const WORTH_A_BLOCK = BLOCK_SIZE / 2;
/** Tunnels of all links take their blocks from each other. */
const frameBlocks = new BlockPool(8 * BLOCK_SIZE);

const NOTHING: Buffer = Buffer.alloc(0);

export interface FrameOptions {
  readonly type: number;
  readonly id: number;
  /** Bytes of data that a frame may have now. */
  readonly dataSize: () => number;
}

export class FrameQueue {
  readonly #frame: FrameOptions;
  #memory = NOTHING;
  /** The frames lie from here to the end. */
  #at = 0;
  #end = 0;
  /** Bytes of data in each of the frames but the last of a chunk. */
  #frameData = 0;
  #next: Buffer | undefined;

  constructor(frame: FrameOptions) {
    this.#frame = frame;
  }

  /** Bytes of frames. */
  get waiting(): number {
    return this.#end - this.#at;
  }

  /** The frame to send next, within what a frame may have now. Its memory is used again after `shift`. */
  get next(): Buffer | undefined {
    if (this.waiting === 0) return undefined;
    if (this.#frame.dataSize() < this.#frameData) this.#split();
    this.#next ??= frameAt(this.#memory, this.#at);
    return this.#next;
  }

  /** Cuts a chunk into frames. */
  push(chunk: Buffer): void {
    const { type, id, dataSize } = this.#frame;
    const size = dataSize();
    this.#makeRoom(framesSize(chunk.length, size));
    this.#end = encodeFrames(this.#memory, this.#end, { type, id, data: chunk }, size);
    this.#frameData = Math.max(this.#frameData, size);
  }

  /** Removes `next`. */
  shift(): void {
    this.#at += this.#next?.length ?? 0;
    this.#next = undefined;
    if (this.waiting === 0) this.clear();
  }

  clear(): void {
    this.#useMemory(NOTHING);
    this.#at = 0;
    this.#end = 0;
    this.#frameData = 0;
    this.#next = undefined;
  }

  /** Moves the frames to where so many bytes more have room. */
  #makeRoom(bytes: number): void {
    if (this.#end + bytes <= this.#memory.length) return;
    const { waiting } = this;
    const from = this.#memory;
    const to = waiting + bytes <= from.length ? from : memoryFor(waiting + bytes);
    from.copy(to, 0, this.#at, this.#end);
    this.#useMemory(to);
    this.#at = 0;
    this.#end = waiting;
    this.#next = undefined;
  }

  #useMemory(memory: Buffer): void {
    const before = this.#memory;
    this.#memory = memory;
    if (before !== memory && before.length === BLOCK_SIZE) frameBlocks.release(before);
  }

  /** Cuts the frames into smaller ones, because the path takes no more of that size. */
  #split(): void {
    const data: Buffer[] = [];
    for (let at = this.#at; at < this.#end; ) {
      const frame = frameAt(this.#memory, at);
      data.push(frame.subarray(FRAME_HEADER_SIZE));
      at += frame.length;
    }
    const whole = Buffer.concat(data);
    this.clear();
    this.push(whole);
  }
}

function memoryFor(bytes: number): Buffer {
  if (bytes < WORTH_A_BLOCK || bytes > BLOCK_SIZE) return Buffer.allocUnsafeSlow(bytes);
  return frameBlocks.take(BLOCK_SIZE);
}
