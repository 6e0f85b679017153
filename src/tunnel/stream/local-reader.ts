/**
 * From the local program to the peer: its bytes are cut into frames, and the source is paused while enough of them wait. It is resumed
 * before they are all sent, so that the sender does not run dry between two chunks. So at most `AHEAD` and a chunk (64 KiB), and what
 * the kernel holds, wait for the peer; of an accepted connection, Node holds another chunk.
 */
import type { Clock, Timer } from '../../base/clock.js';
import { type FrameOptions, FrameQueue } from './frame-queue.js';
import { type LocalEnd, PROBE_INTERVAL } from './local-end.js';
import { readChunks } from './shared-read-buffer.js';

/** Bytes of waiting frames from which the source is paused, and below which it is resumed. */
const AHEAD = 32 * 1024;
/** ms that a program may go on writing after an upstream peer closed both directions: a reset could cost it the last bytes. */
const LINGER = 30_000;

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
  readonly #frames: FrameQueue;
  readonly #handlers: LocalReaderHandlers;
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
    this.#frames = new FrameQueue(frame);
    this.#handlers = handlers;
  }

  /** Not in the constructor, because a source may give its first bytes at once. */
  start(): void {
    const { source } = this.#end;
    const { onError } = this.#handlers;
    source.on('error', onError);
    // Streams close after their end too.
    source.on('close', () => this.#isDone || onError());
    // While early data was read.
    if (source.readableEnded) {
      this.#onEnd();
      return;
    }
    if (source.destroyed) {
      onError();
      return;
    }
    readChunks(source, (chunk) => this.#onChunk(chunk));
    source.on('end', () => this.#onEnd());
    // A socket that was accepted paused stays so until told.
    source.resume();
  }

  /** Whether nothing more will be read. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The frame to send next, within what a frame may have now. Its memory is used again after `shift`. */
  get next(): Buffer | undefined {
    return this.#frames.next;
  }

  /** Removes `next`. */
  shift(): void {
    this.#frames.shift();
    if (this.#frames.waiting < AHEAD) this.#end.source.resume();
  }

  /** From now on everything is read and thrown away, because no peer takes it. */
  discard(): void {
    this.#isDiscarding = true;
    this.#frames.clear();
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

  #onChunk(chunk: Buffer): void {
    // A chunk that Node had read already can come after pause().
    if (this.#isDiscarding || chunk.length === 0) return;
    this.#frames.push(chunk);
    this.#handlers.onFrames();
    if (this.#frames.waiting >= AHEAD) this.#end.source.pause();
    this.#probeWhileUnread();
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
    return this.#isAtEnd || this.#frames.waiting > 0;
  }
}
