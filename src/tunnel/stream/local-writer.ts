/**
 * From the peer to the local program: bytes that arrive in one turn of the event loop are written with one system call, and those that
 * the program has not taken yet are counted exactly.
 */
import type { Writable } from 'node:stream';
import { isPartOfMore } from '../../base/bytes.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { RateLimit, RateWaiter } from './rate-limit.js';

/** Bytes of one write: enough for a fast target, while a slow one still frees memory and credit step by step. */
const WRITE_SIZE = 256 * 1024;
/**
 * Bytes. A piece keeps all the memory that it came in: its packet, or 64 KiB that were read from a relay at once, and a peer may
 * send one byte in each frame. A piece that has to wait and is less than half of its memory is copied into a block. Each block is as
 * large as what waits already, within these bounds, so waiting bytes take at most two and a half times their number.
 */
const [MIN_BLOCK, MAX_BLOCK] = [4096, 64 * 1024] as const;
/** Bytes. A smaller piece is always copied into a block, because a piece takes 250 bytes of bookkeeping. */
const SMALL_PIECE = 512;
/** ms in which a program has to take some bytes once it is watched; Linux gives up such a connection after some minutes, too. */
const MAX_STALL = 5 * 60_000;
const NOTHING = Buffer.alloc(0);

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
  #pieces: Buffer[] = [];
  #bytes = 0;
  #bytesInWrite = 0;
  /** Memory for small pieces, how many bytes of it are used, and from where on they are in no piece yet. */
  #block: Buffer = NOTHING;
  #blockUsed = 0;
  #blockFrom = 0;
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
    return this.#bytes + this.#bytesInWrite;
  }

  write(data: Buffer): void {
    if (this.#isAborted || data.length === 0) return;
    this.#bytes += data.length;
    const isAlone = this.#bytes === data.length && this.#bytesInWrite === 0;
    if (!isAlone && (data.length < SMALL_PIECE || isPartOfMore(data))) this.#gather(data);
    else {
      this.#closePiece();
      // Even the only piece may wait, if the program does not take it.
      this.#pieces.push(isPartOfMore(data) ? copyOf(data) : data);
    }
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
    this.#pieces = [];
    this.#useBlock(NOTHING);
    this.#bytes = 0;
  }

  /** Stops its timer. */
  stop(): void {
    this.#watching?.cancel();
    this.#limit?.leave(this.#waiter);
  }

  #gather(data: Buffer): void {
    const room = this.#block.length - this.#blockUsed;
    if (data.length <= room) {
      this.#block.set(data, this.#blockUsed);
      this.#blockUsed += data.length;
      return;
    }
    if (room > 0) this.#gather(data.subarray(0, room));
    this.#closePiece();
    this.#useBlock(Buffer.allocUnsafeSlow(Math.min(MAX_BLOCK, Math.max(MIN_BLOCK, this.#bytes))));
    this.#gather(data.subarray(room));
  }

  /** Gathered bytes keep their place among the pieces. */
  #closePiece(): void {
    if (this.#blockFrom < this.#blockUsed) this.#pieces.push(this.#block.subarray(this.#blockFrom, this.#blockUsed));
    this.#blockFrom = this.#blockUsed;
  }

  #useBlock(block: Buffer): void {
    this.#block = block;
    this.#blockUsed = 0;
    this.#blockFrom = 0;
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
    this.#closePiece();
    if (this.#pieces.length === 0) {
      if (this.#isEnding) this.#sink.end();
      return;
    }
    const room = this.#limit?.room(this.#waiter) ?? WRITE_SIZE;
    if (room === 0) return;
    const batch = this.#takeBatch(Math.min(WRITE_SIZE, room));
    this.#limit?.spend(this.#waiter, this.#bytesInWrite);
    const last = batch.pop() as Buffer;
    this.#sink.cork();
    for (const piece of batch) this.#sink.write(piece);
    this.#sink.write(last, (error) => {
      if (!error) this.#onWritten();
    });
    this.#sink.uncork();
  }

  /** @param limit bytes; one below WRITE_SIZE is kept exactly, a piece is divided for it */
  #takeBatch(limit: number): Buffer[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#pieces.length && bytes < limit) {
      const piece = this.#pieces[count] as Buffer;
      const rest = Math.ceil(limit - bytes);
      if (limit < WRITE_SIZE && piece.length > rest)
        this.#pieces.splice(count, 1, piece.subarray(0, rest), piece.subarray(rest));
      bytes += (this.#pieces[count] as Buffer).length;
      count += 1;
    }
    const batch = count === this.#pieces.length ? this.#pieces : this.#pieces.slice(0, count);
    this.#pieces = count === this.#pieces.length ? [] : this.#pieces.slice(count);
    this.#bytes -= bytes;
    this.#bytesInWrite = bytes;
    if (this.#pieces.length === 0) this.#useBlock(NOTHING);
    return batch;
  }

  #onWritten(): void {
    const bytes = this.#bytesInWrite;
    this.#bytesInWrite = 0;
    if (this.#isAborted) return;
    this.#handlers.onDelivered(bytes);
    // Bytes that came during the write have waited long enough.
    if (!this.#isScheduled && (this.#bytes > 0 || this.#isEnding)) this.#flush();
  }
}

/** A copy in its own memory. */
function copyOf(data: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(data.length);
  data.copy(copy);
  return copy;
}
