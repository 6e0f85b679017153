/**
 * The counter in our DHT key announcements for one friend: unix time in seconds, as c-toxcore has it. c-toxcore drops one
 * that is not greater than the last, and that saves it work; but it ties a relay to a friend only by the second one that it
 * accepts (docs/tox-protocol.md 4.5), so announcements that name relays must not wait for the next second.
 */
import type { Clock } from '../../base/clock.js';

/** S by which the counter may run ahead of the clock: after a restart it must not be behind for long. */
const MAX_LEAD = 2;

export class NoReplay {
  readonly #clock: Clock;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param isNew whether the friend shall read this one although it came within the same second */
  next(isNew: boolean): bigint {
    const now = this.#clock.unixTime();
    const next = isNew ? Math.min(this.#last + 1, now + MAX_LEAD) : this.#last;
    this.#last = Math.max(now, this.#last, next);
    return BigInt(this.#last);
  }
}
