/**
 * From the wire to the local program: what arrives in one turn of the event loop is written with one system call, and what
 * the program has not taken yet is counted exactly.
 */
import type { Writable } from 'node:stream';
import { isPartOfMore } from '../../base/bytes.js';
import type { Clock } from '../../base/clock.js';

/** Bytes of one write: enough for a fast target, and a slow one still frees memory, and credit, step by step. */
const WRITE_SIZE = 256 * 1024;
/**
 * Bytes. A piece keeps all the memory that it came in: its packet, or 64 KiB that were read from a relay at once, and a peer may
 * send a byte a frame. What is less than half of that, and has to wait, is gathered in blocks, each as large as what waits already,
 * within these bounds: so nothing that waits takes more than two and a half times its size.
 */
const [MIN_BLOCK, MAX_BLOCK] = [4096, 64 * 1024] as const;
/** Bytes of a piece that is gathered in any case, for the 250 bytes of bookkeeping that it would take. */
const SMALL_PIECE = 512;
const NOTHING = Buffer.alloc(0);

export class LocalWriter {
  readonly #sink: Writable;
  readonly #clock: Clock;
  readonly #onDelivered: (bytes: number) => void;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #bytesInWrite = 0;
  /** Where pieces are gathered, how many bytes of it are used, and from where on those are in no piece yet. */
  #block = NOTHING;
  #blockUsed = 0;
  #blockFrom = 0;
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
    this.#bytes += data.length;
    const isAlone = this.#bytes === data.length && this.#bytesInWrite === 0;
    if (!isAlone && (data.length < SMALL_PIECE || isPartOfMore(data))) this.#gather(data);
    else {
      this.#closePiece();
      // One that comes alone may be the one that the program does not take.
      this.#pieces.push(isPartOfMore(data) ? copyOf(data) : data);
    }
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
    this.#dropBlock();
    this.#bytes = 0;
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
    this.#block = Buffer.allocUnsafeSlow(Math.min(MAX_BLOCK, Math.max(MIN_BLOCK, this.#bytes)));
    this.#blockUsed = 0;
    this.#blockFrom = 0;
    this.#gather(data.subarray(room));
  }

  /** What was gathered keeps its place among the pieces. */
  #closePiece(): void {
    if (this.#blockFrom < this.#blockUsed) this.#pieces.push(this.#block.subarray(this.#blockFrom, this.#blockUsed));
    this.#blockFrom = this.#blockUsed;
  }

  #dropBlock(): void {
    this.#block = NOTHING;
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
    if (this.#isDead) return;
    this.#closePiece();
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
    if (this.#pieces.length === 0) this.#dropBlock();
    return batch;
  }

  #onWritten(): void {
    const bytes = this.#bytesInWrite;
    this.#bytesInWrite = 0;
    if (this.#isDead) return;
    this.#onDelivered(bytes);
    // Whatever came during the write has waited long enough.
    if (!this.#isScheduled && (this.#bytes > 0 || this.#isEnding)) this.#flush();
  }
}

/** In memory of its own. */
function copyOf(data: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(data.length);
  data.copy(copy);
  return copy;
}
