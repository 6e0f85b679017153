/**
 * Friend requests that were refused a moment ago, so that a client is admitted as soon as its owner allows it, and not only at its
 * next request: the gaps between requests grow, to 40 s with our clients.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { FriendRequest } from '../../tox/messenger.js';

/** ms, longer than the gap between two requests. A request may contain a secret, so it is not stored any longer. */
const MEMORY = 60_000;
/** Checking a request again costs some ms where a secret is compared. */
const MAX_REQUESTS = 32;

interface Refused {
  readonly request: FriendRequest;
  /** ms */
  readonly expires: number;
}

export class RecentRefusals {
  readonly #clock: Clock;
  /** The last request of each key, by public key in hex, the oldest first. */
  readonly #refused = new Map<string, Refused>();
  #forgetting: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When there is no room, the source with most requests loses its oldest: a flood from one source leaves room for the others. */
  add(request: FriendRequest): void {
    this.delete(request);
    this.#expire();
    if (this.#refused.size >= MAX_REQUESTS) this.#forgetOneOf(this.#fullestSourceWith(request));
    this.#refused.set(request.publicKey.hex, { request, expires: this.#clock.now() + MEMORY });
    this.#planForgetting();
  }

  delete(request: FriendRequest): void {
    this.#refused.delete(request.publicKey.hex);
  }

  get all(): readonly FriendRequest[] {
    this.#expire();
    return [...this.#refused.values()].map(({ request }) => request);
  }

  close(): void {
    this.#forgetting?.cancel();
    this.#refused.clear();
  }

  #fullestSourceWith({ source }: FriendRequest): string | undefined {
    const counts = new Map([[source, 1]]);
    for (const { request } of this.#refused.values()) counts.set(request.source, (counts.get(request.source) ?? 0) + 1);
    return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
  }

  #forgetOneOf(source: string | undefined): void {
    const oldest = [...this.#refused].find(([, { request }]) => request.source === source);
    if (oldest !== undefined) this.#refused.delete(oldest[0]);
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [key, { expires }] of this.#refused) {
      if (expires > now) return;
      this.#refused.delete(key);
    }
  }

  #planForgetting(): void {
    this.#forgetting ??= this.#clock.after(MEMORY, () => {
      this.#forgetting = undefined;
      this.#expire();
      if (this.#refused.size > 0) this.#planForgetting();
    });
  }
}
