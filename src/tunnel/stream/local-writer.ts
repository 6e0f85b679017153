/**
 * From the peer to the local program: bytes that arrive in one turn of the event loop are written with one system call, and those that
 * the program has not taken yet are counted exactly.
 */
import type { Writable } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.js';
import type { RateLimit, RateWaiter } from './rate-limit.js';
import { WaitingBytes } from './waiting-bytes.js';

/** Bytes of one write: enough for a fast target, while a slow one still frees memory and credit step by step. */
const WRITE_SIZE = 256 * 1024;
/** ms in which a program has to take some bytes once it is watched; Linux gives up such a connection after some minutes, too. */
const MAX_STALL = 5 * 60_000;

export interface LocalWriterHandlers {
  /** The local program's side took bytes. */
  onDelivered(bytes: number): void;
  /** The sink has ended, and everything was delivered before. */
  onFinish(): void;
  onError(): void;
}

export class LocalWriter {
  readonly #sink: Writable;
  readonly #clock: Clock;
  readonly #handlers: LocalWriterHandlers;
  readonly #limit: RateLimit | undefined;
  readonly #waiter: RateWaiter = { onRoom: () => this.#bytesInWrite > 0 || this.#flush() };
  readonly #waiting = new WaitingBytes();
  #bytesInWrite = 0;
  #isScheduled = false;
  #isEnding = false;
  #isAborted = false;
  #isDone = false;
  #watching: Timer | undefined;

  /** @param deps.limit of the bytes that the program gets */
  constructor(
    deps: { readonly clock: Clock; readonly sink: Writable; readonly limit?: RateLimit | undefined },
    handlers: LocalWriterHandlers,
  ) {
    this.#clock = deps.clock;
    this.#sink = deps.sink;
    this.#limit = deps.limit;
    this.#handlers = handlers;
  }

  start(): void {
    const { onFinish, onError } = this.#handlers;
    this.#sink.on('finish', () => {
      this.#isDone = true;
      onFinish();
    });
    this.#sink.on('error', onError);
    // Streams close after their end too.
    this.#sink.on('close', () => this.#isDone || onError());
    if (this.#sink.destroyed) onError();
  }

  /** Whether the program has all its bytes and their end, or will get no more. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Received bytes that are not delivered. */
  get pending(): number {
    return this.#waiting.size + this.#bytesInWrite;
  }

  /** @param data valid during the call */
  write(data: Buffer): void {
    if (this.#isAborted || data.length === 0) return;
    this.#waiting.push(data);
    this.#schedule();
  }

  /** Ends the sink once everything is delivered. */
  end(): void {
    if (this.#isEnding || this.#isAborted) return;
    this.#isEnding = true;
    this.#schedule();
  }

  /** Calls back when the program takes nothing for minutes. */
  watchProgress(onStall: () => void): void {
    let before = this.pending;
    this.#watching ??= this.#clock.every(MAX_STALL, () => {
      if (!this.#isDone && this.pending === before) onStall();
      before = this.pending;
    });
  }

  /** Discards bytes that are not delivered. */
  abort(): void {
    this.#isDone = true;
    this.#isAborted = true;
    this.stop();
    this.#waiting.clear();
  }

  /** Stops its timer. */
  stop(): void {
    this.#watching?.cancel();
    this.#limit?.leave(this.#waiter);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#bytesInWrite > 0) return;
    this.#isScheduled = true;
    this.#clock.soon(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isAborted) return;
    if (this.#waiting.size === 0) {
      if (this.#isEnding) this.#sink.end();
      return;
    }
    const room = this.#limit?.room(this.#waiter) ?? WRITE_SIZE;
    if (room === 0) return;
    const before = this.#waiting.size;
    const pieces = this.#waiting.take(Math.min(WRITE_SIZE, Math.ceil(room)));
    this.#bytesInWrite = before - this.#waiting.size;
    this.#limit?.spend(this.#waiter, this.#bytesInWrite);
    const last = pieces.pop() as Buffer;
    if (pieces.length > 0) this.#sink.cork();
    for (const piece of pieces) this.#sink.write(piece);
    this.#sink.write(last, (error) => {
      if (!error) this.#onWritten();
    });
    if (pieces.length > 0) this.#sink.uncork();
  }

  #onWritten(): void {
    const bytes = this.#bytesInWrite;
    this.#bytesInWrite = 0;
    if (this.#isAborted) return;
    this.#waiting.release();
    this.#handlers.onDelivered(bytes);
    // Bytes that came during the write have waited long enough.
    if (!this.#isScheduled && (this.#waiting.size > 0 || this.#isEnding)) this.#flush();
  }
}
