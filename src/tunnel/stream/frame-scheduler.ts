/**
 * Who sends next on the one stream of packets to a peer: frames of the link first, in order, then the tunnels by round robin in
 * bytes. Who is cut short for want of room goes on with the rest of its turn. One that had nothing to send goes before those that
 * always have (RFC 8290, new and old flows), so that big transfers do not delay a keystroke; after its turn it is one of the
 * others until its turn among them has passed.
 */
import type { LineUser } from './tunnel-line.js';

/** Bytes in a turn: small beside what is under way on any path, large enough for the loop to be cheap. */
const TURN = 20 * 1024;
/**
 * Bytes that frames may hold while they wait, before no answer is taken any more: the acks of all tunnels that one link may
 * have at once, and as much again for the rest.
 */
const MAX_WAITING = 512 * 1024;
/** Bytes that a waiting frame takes besides its own: two objects and a place in the list. */
const FRAME_OVERHEAD = 256;

export class TurnQueue {
  readonly #send: (frame: Buffer) => boolean;
  readonly #frames: Buffer[] = [];
  /** Bytes that the frames of the link hold while they wait. */
  #waitingBytes = 0;
  /** Those that had nothing to send before. A Set keeps its order, and nobody stands in it twice. */
  readonly #fresh = new Set<LineUser>();
  readonly #waiting = new Set<LineUser>();
  /** Whose turn was cut short, and the bytes that are left of it. */
  #current: { readonly user: LineUser; readonly left: number } | undefined;
  /** Bytes so far. */
  #sent = 0;
  #state: 'idle' | 'working' | 'full' | 'closed' = 'idle';

  /** @param send takes a packet whole, or returns false and says so by `onDrain` when there is room */
  constructor(send: (frame: Buffer) => boolean) {
    this.#send = send;
  }

  /** Whether an answer would be taken. */
  get hasRoom(): boolean {
    return this.#waitingBytes < MAX_WAITING;
  }

  /** Sends a frame that this side wants to send, now or when there is room; what a peer causes is for `offer`. */
  push(frame: Buffer): void {
    if (this.#state === 'closed') return;
    this.#frames.push(frame);
    this.#waitingBytes += frame.length + FRAME_OVERHEAD;
    this.#work();
  }

  /**
   * Sends the answer to a frame of the peer, now or when there is room; returns false and takes nothing when too much waits.
   * A peer that asks and does not read thus cannot fill our memory.
   */
  offer(frame: Buffer): boolean {
    if (!this.hasRoom) return false;
    this.push(frame);
    return true;
  }

  wantTurn(user: LineUser): void {
    if (this.#state === 'closed') return;
    if (!this.#waiting.has(user) && this.#current?.user !== user) this.#fresh.add(user);
    this.#work();
  }

  forget(user: LineUser): void {
    this.#fresh.delete(user);
    this.#waiting.delete(user);
    if (this.#current?.user === user) this.#current = undefined;
  }

  /** For whoever has the turn. */
  send(frame: Buffer): boolean {
    if (this.#state !== 'working') return false;
    if (this.#send(frame)) {
      this.#sent += frame.length;
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
    this.#fresh.clear();
    this.#waiting.clear();
    this.#current = undefined;
  }

  #work(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'working';
    while (this.#state === 'working' && this.#step());
    if (this.#state === 'working') this.#state = 'idle';
  }

  #step(): boolean {
    const frame = this.#frames[0];
    if (frame !== undefined) {
      if (this.send(frame)) {
        this.#frames.shift();
        this.#waitingBytes -= frame.length + FRAME_OVERHEAD;
      }
      return true;
    }
    const fresh = this.#fresh.values().next().value;
    const cutShort = fresh === undefined ? this.#current : undefined;
    const user = fresh ?? cutShort?.user ?? this.#waiting.values().next().value;
    if (user === undefined) return false;
    this.#fresh.delete(user);
    this.#waiting.delete(user);
    if (cutShort !== undefined) this.#current = undefined;
    const sentBefore = this.#sent;
    const turn = cutShort?.left ?? TURN;
    const outcome = user.takeTurn(turn);
    const left = turn - (this.#sent - sentBefore);
    if (outcome === 'full' && left > 0) {
      if (fresh === undefined) this.#current = { user, left };
      else if (left === TURN) this.#fresh.add(user);
      else this.#waiting.add(user);
    } else if (outcome !== 'idle' || fresh !== undefined) this.#waiting.add(user);
    return true;
  }
}
