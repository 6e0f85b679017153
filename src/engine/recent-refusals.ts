/**
 * Friend requests that were refused a moment ago, so that an owner who lets somebody in does not wait for the client to ask again:
 * clients repeat their request ever more rarely, ours after 40 s in the end.
 */
import type { Clock, Timer } from '../base/clock.js';
import { ExpiringMap } from '../base/expiring-map.js';
import type { FriendRequest } from './tox-stack.js';

/** Implementation: ms; longer than a client waits between two requests. They may hold a secret, so no longer than that. */
const MEMORY = 60_000;
/** Implementation: an owner lets in one or two that ask; to look at each again costs some ms where a secret is compared. */
const MOST = 32;

export class RecentRefusals {
  readonly #clock: Clock;
  /** By public key in hex: the last request of each. */
  readonly #requests = new ExpiringMap<string, FriendRequest>(MEMORY, MOST);
  #forgetting: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(request: FriendRequest): void {
    this.#requests.set(request.publicKey.hex, request, this.#clock.now());
    this.#planForgetting();
  }

  delete(request: FriendRequest): void {
    this.#requests.delete(request.publicKey.hex);
  }

  get all(): readonly FriendRequest[] {
    return [...this.#requests.values(this.#clock.now())];
  }

  close(): void {
    this.#forgetting?.cancel();
    this.#requests.clear();
  }

  #planForgetting(): void {
    this.#forgetting ??= this.#clock.after(MEMORY, () => {
      this.#forgetting = undefined;
      this.#requests.expire(this.#clock.now());
      if (this.#requests.size > 0) this.#planForgetting();
    });
  }
}
