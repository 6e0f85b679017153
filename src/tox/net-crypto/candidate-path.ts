/** The address from which a peer has begun to speak, since it was silent at the one in use, and when it is probed. Pure; times are ms. */
import type { Route } from './route.js';

/** ms between its probes, the first of which may be lost; c-toxcore answers 10 a second. */
export const CANDIDATE_INTERVAL = 125;
/** ms for which it is probed although nothing more comes from there: a peer that lives speaks once a second. */
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

  /** When it is probed next; Infinity for not before something comes from there. */
  get probeAt(): number {
    return this.#probeAt;
  }

  onProbed(now: number): void {
    if (this.#route === undefined) return;
    this.#since ??= now;
    this.#probeAt = now - this.#since < VALIDATION_TIMEOUT ? now + CANDIDATE_INTERVAL : Number.POSITIVE_INFINITY;
  }

  /** It has answered. */
  onAnswered(): void {
    this.#since = undefined;
    this.#probeAt = Number.POSITIVE_INFINITY;
  }

  /** The peer speaks at the address in use, or that is another one now. */
  clear(): void {
    this.#route = undefined;
    this.onAnswered();
  }
}
