/**
 * Notices that a relay which carries a peer's packets has died without a word. The peer speaks once a second, so that a lull
 * means something: the relay is asked, and is dead when nothing at all comes. One that only stands by is left in peace.
 */
import type { Clock, Timer } from '../../base/clock.js';

/** Ms; what came is looked at so often, and nothing is done for each packet. */
const TICK = 1000;
/** Ticks without a word after which the relay is asked, and after which it is dead. */
const ASKED_AFTER = 2;
const DEAD_AFTER = 4;

export interface SilenceDetectorDeps {
  readonly clock: Clock;
  /** Asks for a sign of life. */
  ping(): void;
  onSilence(): void;
}

export class SilenceDetector {
  readonly #deps: SilenceDetectorDeps;
  #ticks: Timer | undefined;
  #hasHeard = false;
  #hasCarried = false;
  #quiet = 0;

  constructor(deps: SilenceDetectorDeps) {
    this.#deps = deps;
  }

  /** Something came from the relay. */
  heard(): void {
    this.#hasHeard = true;
  }

  /** What came was a packet of a peer. */
  carried(): void {
    this.#hasCarried = true;
    this.#ticks ??= this.#deps.clock.every(TICK, () => this.#tick());
  }

  stop(): void {
    this.#ticks?.cancel();
    this.#ticks = undefined;
  }

  #tick(): void {
    const { ping, onSilence } = this.#deps;
    this.#quiet = this.#hasHeard ? 0 : this.#quiet + 1;
    const isIdle = this.#hasHeard && !this.#hasCarried;
    this.#hasHeard = false;
    this.#hasCarried = false;
    if (isIdle) this.stop();
    else if (this.#quiet === ASKED_AFTER) ping();
    else if (this.#quiet >= DEAD_AFTER) onSilence();
  }
}
