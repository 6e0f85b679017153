/**
 * From the local program to the wire: one chunk at a time is cut into frames, and the source stands still until they are
 * sent. So at most a chunk here and what Node and the kernel hold wait for the peer.
 */
import type { Readable } from 'node:stream';
import { encodeFrames, FRAME_HEADER_SIZE } from './frame.js';

export interface LocalReaderHandlers {
  /** There are frames to send. */
  onFrames(): void;
  /** The local program has said all it will say; everything before is sent or in `next`. */
  onEnd(): void;
}

export class LocalReader {
  readonly #source: Readable;
  readonly #type: number;
  readonly #id: number;
  readonly #frameData: number;
  readonly #handlers: LocalReaderHandlers;
  #frames: Buffer | undefined;
  #at = 0;
  #next: Buffer | undefined;
  #isDiscarding = false;

  /** @param frame type and id of its frames, and the bytes of data that each may have */
  constructor(
    source: Readable,
    frame: { readonly type: number; readonly id: number; readonly dataSize: number },
    handlers: LocalReaderHandlers,
  ) {
    this.#source = source;
    this.#type = frame.type;
    this.#id = frame.id;
    this.#frameData = frame.dataSize;
    this.#handlers = handlers;
  }

  /** Not in the constructor, since a source may give its first bytes at once. */
  start(): void {
    this.#source.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    this.#source.on('end', () => this.#handlers.onEnd());
    // A socket that was accepted paused stays so until told.
    this.#source.resume();
  }

  /** The frame whose turn it is; it stays the same until `shift`. */
  get next(): Buffer | undefined {
    if (this.#next === undefined && this.#frames !== undefined) {
      this.#next = this.#frames.subarray(this.#at, this.#at + FRAME_HEADER_SIZE + this.#frameData);
    }
    return this.#next;
  }

  shift(): void {
    this.#at += this.#next?.length ?? 0;
    this.#next = undefined;
    if (this.#frames === undefined || this.#at < this.#frames.length) return;
    this.#frames = undefined;
    this.#source.resume();
  }

  /** From now on everything is read and thrown away: nobody is left who would take it. */
  discard(): void {
    this.#isDiscarding = true;
    this.#frames = undefined;
    this.#next = undefined;
    this.#source.resume();
  }

  #onChunk(chunk: Buffer): void {
    if (this.#isDiscarding || chunk.length === 0) return;
    // A chunk that Node had read already can come after pause().
    const frames = encodeFrames(this.#type, this.#id, chunk, this.#frameData);
    if (this.#frames !== undefined) {
      this.#frames = Buffer.concat([this.#frames.subarray(this.#at), frames]);
      this.#next = undefined;
    } else this.#frames = frames;
    this.#at = 0;
    this.#handlers.onFrames();
    if (this.#frames !== undefined) this.#source.pause();
  }
}
