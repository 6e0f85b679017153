/**
 * The program of this machine that a tunnel serves: what it says is read, what came for it is written, and each of the two
 * directions ends on its own, or both at once when the program breaks off or is broken off.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Reason } from '../wire/reasons.js';
import { type LocalEnd, PROBE_INTERVAL } from './local-end.js';
import { LocalReader } from './local-reader.js';
import { LocalWriter } from './local-writer.js';

/** ms that a program may go on talking to nobody, after an upstream peer closed both directions: a reset could cost it the last bytes. */
const LINGER = 30_000;
/** ms in which a program has to take something of what is left for it; Linux gives up a connection like that after some minutes, too. */
const LONGEST_STANDSTILL = 5 * 60_000;

export interface LocalProgramHandlers {
  /** It has said something: there are frames to send. */
  onFrames(): void;
  /** It will say no more; everything before is sent or in `next`. */
  onSaidAll(): void;
  /** It has taken so many bytes. */
  onDelivered(bytes: number): void;
  /** It has all that was for it. */
  onHasAll(): void;
  /** It broke off. */
  onBroken(): void;
}

export class LocalProgram {
  readonly #clock: Clock;
  readonly #end: LocalEnd;
  readonly #handlers: LocalProgramHandlers;
  readonly #reader: LocalReader;
  readonly #writer: LocalWriter;
  #hasSaidAll = false;
  #hasAll = false;
  #linger: Timer | undefined;
  /** Nothing more can be read from it. */
  #isAtEnd = false;
  #probing: Timer | undefined;
  #watching: Timer | undefined;

  /** @param frame type and id of the frames that it becomes, and the bytes of data that each may have now */
  constructor(
    deps: { readonly clock: Clock; readonly end: LocalEnd },
    frame: { readonly type: number; readonly id: number; readonly dataSize: () => number },
    handlers: LocalProgramHandlers,
  ) {
    this.#clock = deps.clock;
    this.#end = deps.end;
    this.#handlers = handlers;
    this.#reader = new LocalReader(deps.end.source, frame, {
      onFrames: () => {
        handlers.onFrames();
        this.#probeWhileUnread();
      },
      onEnd: () => {
        this.#isAtEnd = true;
        deps.end.probe(() => this.#onSaidAll());
        this.#probeWhileUnread();
      },
    });
    this.#writer = new LocalWriter(deps.end.sink, deps.clock, (bytes) => handlers.onDelivered(bytes));
  }

  start(): void {
    const { source, sink } = this.#end;
    const { onBroken } = this.#handlers;
    sink.on('finish', () => {
      this.#hasAll = true;
      this.#handlers.onHasAll();
    });
    source.on('error', onBroken);
    sink.on('error', onBroken);
    // Streams close after their end too.
    source.on('close', () => this.#hasSaidAll || onBroken());
    sink.on('close', () => this.#hasAll || onBroken());
    if (source.destroyed || sink.destroyed) onBroken();
    else this.#reader.start();
  }

  /** Of the TCP connection of this machine; undefined when there is none, or it is over. */
  get localPort(): number | undefined {
    return this.#end.localPort;
  }

  /** Of the other end of that connection. */
  get remoteAddress(): string | undefined {
    return this.#end.remoteAddress;
  }

  get hasSaidAll(): boolean {
    return this.#hasSaidAll;
  }

  get hasAll(): boolean {
    return this.#hasAll;
  }

  /** Both directions are over. */
  get isOver(): boolean {
    return this.#hasSaidAll && this.#hasAll;
  }

  /** Bytes that came and wait for it. */
  get pending(): number {
    return this.#writer.pending;
  }

  /** The frame whose turn it is, within what a frame may have now. */
  get next(): Buffer | undefined {
    return this.#reader.next;
  }

  shift(): void {
    this.#reader.shift();
  }

  write(data: Buffer): void {
    this.#writer.write(data);
  }

  /** Nothing more will come for it. */
  end(): void {
    this.#writer.end();
  }

  /** Nobody wants to hear it any more. */
  ignore(): void {
    this.#reader.discard();
  }

  /** It is given some time to notice that nobody hears it; then it counts as having said all. */
  linger(): void {
    this.#linger = this.#clock.after(this.#end.lingers ? LINGER : 0, () => this.#onSaidAll());
  }

  /** From now on it breaks off, as far as we are concerned, when it takes nothing for minutes. */
  watchTaking(onStandstill: () => void): void {
    let before = this.pending;
    this.#watching ??= this.#clock.every(LONGEST_STANDSTILL, () => {
      if (!this.#hasAll && this.pending === before) onStandstill();
      before = this.pending;
    });
  }

  /** Breaks both directions, so that it sees an error; what it did not take is forgotten. Tells nobody. */
  reset(reason: Reason): void {
    this.#cancelTimers();
    this.#hasSaidAll = true;
    this.#hasAll = true;
    this.#reader.discard();
    this.#writer.discard();
    this.#end.reset(reason);
  }

  /** Frees what is left when both directions are over. */
  destroy(): void {
    this.#cancelTimers();
    this.#end.destroy();
  }

  /** That it broke off is not seen while nobody reads from it: because the peer is slow, or because it has said all. */
  #probeWhileUnread(): void {
    if (!this.#isUnread || this.isOver) return;
    this.#probing ??= this.#clock.every(PROBE_INTERVAL, () => {
      if (this.#isUnread && !this.isOver) this.#end.probe(() => {});
      else this.#stopProbing();
    });
  }

  get #isUnread(): boolean {
    return this.#isAtEnd || this.#reader.next !== undefined;
  }

  #stopProbing(): void {
    this.#probing?.cancel();
    this.#probing = undefined;
  }

  #cancelTimers(): void {
    this.#linger?.cancel();
    this.#watching?.cancel();
    this.#stopProbing();
  }

  #onSaidAll(): void {
    this.#hasSaidAll = true;
    this.#handlers.onSaidAll();
  }
}
