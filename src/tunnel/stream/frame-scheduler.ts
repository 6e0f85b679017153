/**
 * Decides which frame is sent next on the one stream of packets to a peer. Frames of the link go first, in order, then the tunnels
 * by round robin in bytes. A tunnel that is interrupted by a full channel continues with the rest of its quantum. A tunnel that had
 * nothing to send goes before those that always have (RFC 8290: new and old flows), so that large transfers do not delay a
 * keystroke; after its quantum it is an old flow until it was served as one.
 */
import { OrderedList } from '../../base/ordered-list.js';

/** Bytes that a tunnel sends before the next one: few beside what is in flight on any path, enough to make the loop cheap. */
const QUANTUM = 20 * 1024;
/**
 * Bytes that waiting frames may hold before answers are refused: the acks of all tunnels that one link may have at once, and as
 * much again for other frames.
 */
const MAX_WAITING = 512 * 1024;
/** Bytes that a waiting frame takes besides its own: two objects and a place in the list. */
const FRAME_OVERHEAD = 256;

/** A tunnel, for its scheduler. */
export interface FrameSource {
  /**
   * Sends data frames of up to `limit` bytes together, and control frames that are due.
   * @returns 'full' when the channel took no more, 'more' when only the limit stopped it
   */
  sendUpTo(limit: number): 'idle' | 'more' | 'full';
}

export class FrameScheduler {
  readonly #send: (frame: Buffer) => boolean;
  readonly #frames: Buffer[] = [];
  /** Bytes that the frames of the link hold while they wait. */
  #waitingBytes = 0;
  readonly #newFlows = new OrderedList<FrameSource>();
  readonly #oldFlows = new OrderedList<FrameSource>();
  /** The source that a full channel interrupted, and the bytes left of its quantum. */
  #interrupted: { readonly source: FrameSource; readonly left: number } | undefined;
  #sentBytes = 0;
  #state: 'idle' | 'working' | 'full' | 'closed' = 'idle';

  /** @param send takes a whole packet, or returns false; `onDrain` must be called when there is room again */
  constructor(send: (frame: Buffer) => boolean) {
    this.#send = send;
  }

  /** Whether `offer` would take a frame. */
  get hasRoom(): boolean {
    return this.#waitingBytes < MAX_WAITING;
  }

  /** Sends a frame now, or when there is room. For frames that this side causes; answers to the peer use `offer`. */
  push(frame: Buffer): void {
    if (this.#state === 'closed') return;
    this.#frames.push(frame);
    this.#waitingBytes += frame.length + FRAME_OVERHEAD;
    this.#work();
  }

  /**
   * Sends the answer to a frame of the peer, now or when there is room. Returns false and takes nothing when too many bytes wait, so
   * that a peer that asks and does not read cannot fill our memory.
   */
  offer(frame: Buffer): boolean {
    if (!this.hasRoom) return false;
    this.push(frame);
    return true;
  }

  schedule(source: FrameSource): void {
    if (this.#state === 'closed') return;
    if (!this.#oldFlows.has(source) && this.#interrupted?.source !== source) this.#newFlows.add(source);
    this.#work();
  }

  remove(source: FrameSource): void {
    this.#newFlows.delete(source);
    this.#oldFlows.delete(source);
    if (this.#interrupted?.source === source) this.#interrupted = undefined;
  }

  /** Called by a source within `sendUpTo`. */
  send(frame: Buffer): boolean {
    if (this.#state !== 'working') return false;
    if (this.#send(frame)) {
      this.#sentBytes += frame.length;
      return true;
    }
    this.#state = 'full';
    return false;
  }

  onDrain(): void {
    if (this.#state !== 'full') return;
    this.#state = 'idle';
    this.#work();
  }

  close(): void {
    this.#state = 'closed';
    this.#frames.length = 0;
    this.#waitingBytes = 0;
    this.#newFlows.clear();
    this.#oldFlows.clear();
    this.#interrupted = undefined;
  }

  #work(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'working';
    while (this.#state === 'working' && this.#sendNext());
    if (this.#state === 'working') this.#state = 'idle';
  }

  /** @returns false when there is nothing to send */
  #sendNext(): boolean {
    const frame = this.#frames[0];
    if (frame !== undefined) {
      if (this.send(frame)) {
        this.#frames.shift();
        this.#waitingBytes -= frame.length + FRAME_OVERHEAD;
      }
      return true;
    }
    const newFlow = this.#newFlows.first;
    const interrupted = newFlow === undefined ? this.#interrupted : undefined;
    const source = newFlow ?? interrupted?.source ?? this.#oldFlows.first;
    if (source === undefined) return false;
    this.#newFlows.delete(source);
    this.#oldFlows.delete(source);
    if (interrupted !== undefined) this.#interrupted = undefined;
    const sentBefore = this.#sentBytes;
    const quantum = interrupted?.left ?? QUANTUM;
    const outcome = source.sendUpTo(quantum);
    const left = quantum - (this.#sentBytes - sentBefore);
    if (outcome === 'full' && left > 0) {
      if (newFlow === undefined) this.#interrupted = { source, left };
      else if (left === QUANTUM) this.#newFlows.add(source);
      else this.#oldFlows.add(source);
    } else if (outcome !== 'idle' || newFlow !== undefined) this.#oldFlows.add(source);
    return true;
  }
}
