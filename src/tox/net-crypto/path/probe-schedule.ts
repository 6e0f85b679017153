/** When routes that are not in use are probed: often at first, and every few seconds later. Pure; times are ms. */

/** Specification (UDP_DIRECT_TIMEOUT / 2): ms between probes of UDP after a relay has been in use for long. */
const LONGEST_INTERVAL = 4000;
/** ms between the first probes; later the pause is this part of the time since they began. */
export const FIRST_PROBE_INTERVAL = 250;
const SLOWDOWN = 1 / 16;

export class ProbeSchedule {
  #scope: 'udp' | 'all' | undefined;
  #since = 0;
  #at = Number.NEGATIVE_INFINITY;

  /** Which routes are probed. */
  get scope(): 'udp' | 'all' | undefined {
    return this.#scope;
  }

  setScope(of: 'udp' | 'all' | undefined, now: number): void {
    if (of === this.#scope) return;
    this.#scope = of;
    this.restart(now);
  }

  /** Restarts the schedule; the next probe is due at once. */
  restart(now: number): void {
    this.#since = now;
    this.#at = Number.NEGATIVE_INFINITY;
  }

  /** When the next probe is due; Infinity for never. */
  get dueAt(): number {
    if (this.#scope === undefined) return Number.POSITIVE_INFINITY;
    const interval = Math.max(FIRST_PROBE_INTERVAL, (this.#at - this.#since) * SLOWDOWN);
    return this.#at + Math.min(LONGEST_INTERVAL, interval);
  }

  onProbed(now: number): void {
    this.#at = now;
  }
}
