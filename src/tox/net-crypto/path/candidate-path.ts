/** The new address from which a peer sends while the one in use is silent, and when it is probed. Pure; times are ms. */
import type { Route } from './route.js';

/** ms between probes, of which the first may be lost; c-toxcore answers 10 a second. */
export const CANDIDATE_INTERVAL = 125;
/** ms for which the candidate is probed although nothing more comes from it: a live peer sends once a second. */
const VALIDATION_TIMEOUT = 2500;

export class CandidatePath {
  #route: Route | undefined;
  #since: number | undefined;
  #probeAt = Number.POSITIVE_INFINITY;

  get route(): Route | undefined {
    return this.#route;
  }

  set(route: Route): void {
    if (route !== this.#route) this.clear();
    this.#route = route;
  }

  /** When the candidate is probed next; Infinity until something comes from it. */
  get probeAt(): number {
    return this.#probeAt;
  }

  onProbed(now: number): void {
    if (this.#route === undefined) return;
    this.#since ??= now;
    this.#probeAt = now - this.#since < VALIDATION_TIMEOUT ? now + CANDIDATE_INTERVAL : Number.POSITIVE_INFINITY;
  }

  /** The candidate has answered. */
  onAnswered(): void {
    this.#since = undefined;
    this.#probeAt = Number.POSITIVE_INFINITY;
  }

  /** The peer sends from the address in use, or another address is in use now. */
  clear(): void {
    this.#route = undefined;
    this.onAnswered();
  }
}
