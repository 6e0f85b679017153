/**
 * From the local program to the wire: what it says is cut into frames, and the source stands still while enough of them wait. It goes
 * on before they are all sent, so that the sender does not run dry between two chunks. So at most `AHEAD` and a chunk of Node's
 * (64 KiB), and what Node and the kernel hold, wait for the peer.
 */
import type { Readable } from 'node:stream';
import { encodeFrames, FRAME_HEADER_SIZE, frameAt } from '../wire/frame.js';

export interface LocalReaderHandlers {
  /** There are frames to send. */
  onFrames(): void;
  /** The local program has said all it will say; everything before is sent or in `next`. */
  onEnd(): void;
}

/** Bytes of frames that wait when the source is stopped, and below which it goes on. */
const AHEAD = 32 * 1024;

export class LocalReader {
  readonly #source: Readable;
  readonly #type: number;
  readonly #id: number;
  readonly #dataSize: () => number;
  readonly #handlers: LocalReaderHandlers;
  #frames: Buffer | undefined;
  /** Bytes of data in each of them but the last of a chunk. */
  #cutTo = 0;
  #at = 0;
  #next: Buffer | undefined;
  #isDiscarding = false;

  /** @param frame type and id of its frames, and the bytes of data that each may have now */
  constructor(
    source: Readable,
    frame: { readonly type: number; readonly id: number; readonly dataSize: () => number },
    handlers: LocalReaderHandlers,
  ) {
    this.#source = source;
    this.#type = frame.type;
    this.#id = frame.id;
    this.#dataSize = frame.dataSize;
    this.#handlers = handlers;
  }

  /** Not in the constructor, since a source may give its first bytes at once. */
  start(): void {
    this.#source.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    this.#source.on('end', () => this.#handlers.onEnd());
    // A socket that was accepted paused stays so until told.
    this.#source.resume();
  }

  /** The frame whose turn it is, within what a frame may have now. */
  get next(): Buffer | undefined {
    if (this.#frames === undefined) return undefined;
    if (this.#dataSize() < this.#cutTo) this.#cutAnew(this.#frames);
    this.#next ??= frameAt(this.#frames, this.#at);
    return this.#next;
  }

  shift(): void {
    this.#at += this.#next?.length ?? 0;
    this.#next = undefined;
    if (this.#waiting === 0) this.#frames = undefined;
    if (this.#waiting < AHEAD) this.#source.resume();
  }

  /** Bytes of frames. */
  get #waiting(): number {
    return (this.#frames?.length ?? this.#at) - this.#at;
  }

  /** From now on everything is read and thrown away: nobody is left who would take it. */
  discard(): void {
    this.#isDiscarding = true;
    this.#frames = undefined;
    this.#next = undefined;
    this.#at = 0;
    this.#source.resume();
  }

  #onChunk(chunk: Buffer): void {
    if (this.#isDiscarding || chunk.length === 0) return;
    // A chunk that Node had read already can come after pause().
    const size = this.#dataSize();
    const frames = encodeFrames(this.#type, this.#id, chunk, size);
    if (this.#frames !== undefined) {
      this.#frames = Buffer.concat([this.#frames.subarray(this.#at), frames]);
      this.#cutTo = Math.max(this.#cutTo, size);
      this.#next = undefined;
    } else {
      this.#frames = frames;
      this.#cutTo = size;
    }
    this.#at = 0;
    this.#handlers.onFrames();
    if (this.#waiting >= AHEAD) this.#source.pause();
  }

  /** Smaller: the path takes no more of that size. */
  #cutAnew(frames: Buffer): void {
    const data: Buffer[] = [];
    for (let at = this.#at; at < frames.length; ) {
      const frame = frameAt(frames, at);
      data.push(frame.subarray(FRAME_HEADER_SIZE));
      at += frame.length;
    }
    this.#cutTo = this.#dataSize();
    this.#frames = encodeFrames(this.#type, this.#id, Buffer.concat(data), this.#cutTo);
    this.#at = 0;
    this.#next = undefined;
  }
}
