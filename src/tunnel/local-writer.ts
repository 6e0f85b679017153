/**
 * From the wire to the local program: what arrives in one turn of the event loop is written with one system call, and what
 * the program has not taken yet is counted exactly.
 */
import type { Writable } from 'node:stream';
import type { Clock } from '../base/clock.js';

/** Bytes of one write: enough for a fast target, and a slow one still frees memory, and credit, step by step. */
const WRITE_SIZE = 256 * 1024;
/** A peer may send a byte a frame. So many small pieces are made one, or their bookkeeping would take a hundred times their size. */
const SMALL_PIECES = 256;
const SMALL_PIECE_SIZE = 512;

export class LocalWriter {
  readonly #sink: Writable;
  readonly #clock: Clock;
  readonly #onDelivered: (bytes: number) => void;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #bytesInWrite = 0;
  /** Pieces from this index on were never merged, and the bytes in them. */
  #loosePieces = 0;
  #looseBytes = 0;
  #isScheduled = false;
  #isEnding = false;
  #isDead = false;

  /** @param onDelivered told how many bytes the local program's side took; not after `discard` */
  constructor(sink: Writable, clock: Clock, onDelivered: (bytes: number) => void) {
    this.#sink = sink;
    this.#clock = clock;
    this.#onDelivered = onDelivered;
  }

  /** Bytes that came and are not delivered. */
  get pending(): number {
    return this.#bytes + this.#bytesInWrite;
  }

  write(data: Buffer): void {
    if (this.#isDead || data.length === 0) return;
    this.#pieces.push(data);
    this.#bytes += data.length;
    this.#loosePieces += 1;
    this.#looseBytes += data.length;
    if (this.#loosePieces >= SMALL_PIECES) this.#mergeLoose();
    this.#schedule();
  }

  /** Ends the sink once everything is delivered. */
  end(): void {
    if (this.#isEnding || this.#isDead) return;
    this.#isEnding = true;
    this.#schedule();
  }

  /** Forgets what was not delivered. */
  discard(): void {
    this.#isDead = true;
    this.#pieces = [];
    this.#bytes = 0;
  }

  #mergeLoose(): void {
    if (this.#looseBytes < this.#loosePieces * SMALL_PIECE_SIZE) {
      this.#pieces.push(Buffer.concat(this.#pieces.splice(-this.#loosePieces)));
    }
    this.#loosePieces = 0;
    this.#looseBytes = 0;
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
    if (this.#isDead) return;
    if (this.#pieces.length === 0) {
      if (this.#isEnding) this.#sink.end();
      return;
    }
    const batch = this.#takeBatch();
    const last = batch.pop() as Buffer;
    this.#sink.cork();
    for (const piece of batch) this.#sink.write(piece);
    this.#sink.write(last, (error) => {
      if (!error) this.#onWritten();
    });
    this.#sink.uncork();
  }

  #takeBatch(): Buffer[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#pieces.length && bytes < WRITE_SIZE) {
      bytes += (this.#pieces[count] as Buffer).length;
      count += 1;
    }
    const batch = count === this.#pieces.length ? this.#pieces : this.#pieces.slice(0, count);
    this.#pieces = count === this.#pieces.length ? [] : this.#pieces.slice(count);
    this.#bytes -= bytes;
    this.#bytesInWrite = bytes;
    this.#loosePieces = Math.min(this.#loosePieces, this.#pieces.length);
    this.#looseBytes = this.#loosePieces === 0 ? 0 : Math.min(this.#looseBytes, this.#bytes);
    return batch;
  }

  #onWritten(): void {
    const bytes = this.#bytesInWrite;
    this.#bytesInWrite = 0;
    if (this.#isDead) return;
    this.#onDelivered(bytes);
    // Whatever came during the write has waited long enough.
    if (!this.#isScheduled && (this.#pieces.length > 0 || this.#isEnding)) this.#flush();
  }
}
