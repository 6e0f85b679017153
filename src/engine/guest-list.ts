/**
 * The clients that a server let in during this run. Nobody stays for ever: who has been away for hours is forgotten, and
 * asks again when coming back; so does everybody after a restart. The policy alone decides who gets in.
 */
import type { Clock, Timer } from '../base/clock.js';

/** ms away after which a client is forgotten. */
const LONGEST_ABSENCE = 6 * 60 * 60_000;
/** ms between looks. */
const SWEEP_INTERVAL = 10 * 60_000;
/** Guests at once: the stack searches for each one that is away, which costs packets and memory. */
const MAX_GUESTS = 512;

export interface Guest {
  /** Public key in hex. */
  readonly id: string;
  readonly isOnline: boolean;
}

export class GuestList<Member extends Guest> {
  readonly #clock: Clock;
  readonly #onForget: (guest: Member) => void;
  /** Since when a guest is away, ms of the clock; in the order in which they were last seen. */
  readonly #guests = new Map<string, { readonly guest: Member; seenAt: number }>();
  readonly #timer: Timer;

  /** @param deps.onForget parts with a guest; called at most once for each */
  constructor(deps: { clock: Clock; onForget: (guest: Member) => void }) {
    this.#clock = deps.clock;
    this.#onForget = deps.onForget;
    this.#timer = deps.clock.every(SWEEP_INTERVAL, () => this.#sweep());
  }

  get size(): number {
    return this.#guests.size;
  }

  get all(): readonly Member[] {
    return [...this.#guests.values()].map(({ guest }) => guest);
  }

  has(id: string): boolean {
    return this.#guests.has(id);
  }

  /** Makes room by forgetting who has been away longest. @returns false when all places are taken by guests who are here */
  makeRoom(): boolean {
    if (this.#guests.size < MAX_GUESTS) return true;
    for (const { guest } of this.#guests.values()) {
      if (guest.isOnline) continue;
      this.#forget(guest);
      return true;
    }
    return false;
  }

  add(guest: Member): void {
    this.#guests.set(guest.id, { guest, seenAt: this.#clock.now() });
  }

  /** Parts with a guest on the owner's account; `onForget` is not called. */
  remove(guest: Member): void {
    this.#guests.delete(guest.id);
  }

  /** The guest came or went. */
  onSeen(guest: Member): void {
    // Only who is still on the list: the news may come late.
    if (this.#guests.delete(guest.id)) this.add(guest);
  }

  /** Forgets nobody, and does nothing any more. */
  close(): void {
    this.#timer.cancel();
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const { guest, seenAt } of this.#guests.values()) {
      if (!guest.isOnline && now - seenAt >= LONGEST_ABSENCE) this.#forget(guest);
    }
  }

  #forget(guest: Member): void {
    this.#guests.delete(guest.id);
    this.#onForget(guest);
  }
}
