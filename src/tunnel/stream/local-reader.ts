/**
 * From the local program to the peer: its bytes are cut into frames, and the source is paused while enough of them wait. It is resumed
 * before they are all sent, so that the sender does not run dry between two chunks. So at most `AHEAD` and a chunk of Node's (64 KiB),
 * and what Node and the kernel hold, wait for the peer.
 */
import type { Clock, Timer } from '../../base/clock.js';
import { encodeFrames, FRAME_HEADER_SIZE, frameAt } from '../wire/frame.js';
import { type LocalEnd, PROBE_INTERVAL } from './local-end.js';

/** Bytes of waiting frames from which the source is paused, and below which it is resumed. */
const AHEAD = 32 * 1024;
/** ms that a program may go on writing after an upstream peer closed both directions: a reset could cost it the last bytes. */
const LINGER = 30_000;

interface FrameOptions {
  readonly type: number;
  readonly id: number;
  /** Bytes of data that a frame may have now. */
  readonly dataSize: () => number;
}

export interface LocalReaderHandlers {
  /** There are frames to send. */
  onFrames(): void;
  /** The program has ended its direction; everything before is sent or in `next`. */
  onEnd(): void;
  onError(): void;
}

export class LocalReader {
  readonly #clock: Clock;
  readonly #end: LocalEnd;
  readonly #frame: FrameOptions;
  readonly #handlers: LocalReaderHandlers;
  #frames: Buffer | undefined;
  /** Bytes of data in each of `#frames` but the last of a chunk. */
  #frameData = 0;
  #at = 0;
  #next: Buffer | undefined;
  #isDiscarding = false;
  /** The source has ended. */
  #isAtEnd = false;
  #isDone = false;
  #isStopped = false;
  #probing: Timer | undefined;
  #linger: Timer | undefined;

  constructor(
    deps: { readonly clock: Clock; readonly end: LocalEnd },
    frame: FrameOptions,
    handlers: LocalReaderHandlers,
  ) {
    this.#clock = deps.clock;
    this.#end = deps.end;
    this.#frame = frame;
    this.#handlers = handlers;
  }

  /** Not in the constructor, because a source may give its first bytes at once. */
  start(): void {
    const { source } = this.#end;
    const { onError } = this.#handlers;
    source.on('error', onError);
    // Streams close after their end too.
    source.on('close', () => this.#isDone || onError());
    if (source.destroyed) {
      onError();
      return;
    }
    source.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    source.on('end', () => this.#onEnd());
    // A socket that was accepted paused stays so until told.
    source.resume();
  }

  /** Whether nothing more will be read. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The frame to send next, within what a frame may have now. */
  get next(): Buffer | undefined {
    if (this.#frames === undefined) return undefined;
    if (this.#frame.dataSize() < this.#frameData) this.#split(this.#frames);
    this.#next ??= frameAt(this.#frames, this.#at);
    return this.#next;
  }

  /** Removes `next`. */
  shift(): void {
    this.#at += this.#next?.length ?? 0;
    this.#next = undefined;
    if (this.#waiting === 0) this.#frames = undefined;
    if (this.#waiting < AHEAD) this.#end.source.resume();
  }

  /** From now on everything is read and thrown away, because no peer takes it. */
  discard(): void {
    this.#isDiscarding = true;
    this.#frames = undefined;
    this.#next = undefined;
    this.#at = 0;
    this.#end.source.resume();
  }

  /** Gives the program some time to notice that its bytes are discarded; then it counts as ended. */
  linger(): void {
    this.#linger = this.#clock.after(this.#end.lingers ? LINGER : 0, () => this.#finish());
  }

  abort(): void {
    this.#isDone = true;
    this.stop();
    this.discard();
  }

  /** Stops its timers; there is no need for them once both directions have ended. */
  stop(): void {
    this.#isStopped = true;
    this.#linger?.cancel();
    this.#probing?.cancel();
  }

  /** Bytes of frames. */
  get #waiting(): number {
    return (this.#frames?.length ?? this.#at) - this.#at;
  }

  #onChunk(chunk: Buffer): void {
    if (this.#isDiscarding || chunk.length === 0) return;
    // A chunk that Node had read already can come after pause().
    const { type, id, dataSize } = this.#frame;
    const size = dataSize();
    const frames = encodeFrames(type, id, chunk, size);
    if (this.#frames !== undefined) {
      this.#frames = Buffer.concat([this.#frames.subarray(this.#at), frames]);
      this.#frameData = Math.max(this.#frameData, size);
      this.#next = undefined;
    } else {
      this.#frames = frames;
      this.#frameData = size;
    }
    this.#at = 0;
    this.#handlers.onFrames();
    if (this.#waiting >= AHEAD) this.#end.source.pause();
    this.#probeWhileUnread();
  }

  /** Cuts waiting frames into smaller ones, because the path takes no more of that size. */
  #split(frames: Buffer): void {
    const data: Buffer[] = [];
    for (let at = this.#at; at < frames.length; ) {
      const frame = frameAt(frames, at);
      data.push(frame.subarray(FRAME_HEADER_SIZE));
      at += frame.length;
    }
    const { type, id, dataSize } = this.#frame;
    this.#frameData = dataSize();
    this.#frames = encodeFrames(type, id, Buffer.concat(data), this.#frameData);
    this.#at = 0;
    this.#next = undefined;
  }

  #onEnd(): void {
    this.#isAtEnd = true;
    this.#end.probe(() => this.#finish());
    this.#probeWhileUnread();
  }

  #finish(): void {
    this.#isDone = true;
    this.#handlers.onEnd();
  }

  /** A broken connection is not seen while it is not read: because the peer is slow, or because the source has ended. */
  #probeWhileUnread(): void {
    if (this.#isStopped || !this.#isUnread) return;
    this.#probing ??= this.#clock.every(PROBE_INTERVAL, () => {
      if (this.#isUnread) {
        this.#end.probe(() => {});
        return;
      }
      this.#probing?.cancel();
      this.#probing = undefined;
    });
  }

  get #isUnread(): boolean {
    return this.#isAtEnd || this.next !== undefined;
  }
}
