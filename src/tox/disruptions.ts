/**
 * Notices what makes all that is known of the network doubtful: that this machine slept, that this process was stopped, or
 * that the machine's addresses have changed. Nobody tells us; but a tick that comes late does, and so does the clock on the
 * wall, which goes on while the monotonic one rests during sleep (as Linux has it).
 */
import type { Clock, Timer } from '../base/clock.js';
import type { LocalInterface } from './network/interfaces.js';

/** Implementation, ms. */
const TICK = 1_000;
/** Implementation, ms that a tick may be late on a machine that is merely busy; mappings of NATs and peers survive that. */
const LATE = 5_000;
/** Ticks between looks at the addresses, each of which costs some 50 µs. */
const LOOK = 2;

export interface DisruptionsDeps {
  readonly clock: Clock;
  readonly interfaces: () => readonly LocalInterface[];
  /** @param reason for the log */
  readonly onDisruption: (reason: string) => void;
}

export class Disruptions {
  readonly #deps: DisruptionsDeps;
  #timer: Timer | undefined;
  #tickedAt = 0;
  #wallTime = 0;
  #ticks = 0;
  #addresses = '';

  constructor(deps: DisruptionsDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#readClocks();
    this.#addresses = this.#readAddresses();
    this.#timer = this.#deps.clock.every(TICK, () => this.#tick());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #tick(): void {
    const { clock, onDisruption } = this.#deps;
    // A clock that somebody sets looks like sleep; to ask around once does no harm.
    const passed = Math.max(clock.now() - this.#tickedAt, (clock.unixTime() - this.#wallTime) * 1000);
    this.#readClocks();
    const isLate = passed - TICK > LATE;
    this.#ticks += 1;
    const hasMoved = (isLate || this.#ticks % LOOK === 0) && this.#noteAddresses();
    if (isLate) onDisruption(`asleep or stopped for ${Math.round((passed - TICK) / 1000)} s`);
    else if (hasMoved) onDisruption('the addresses of this machine have changed');
  }

  #readClocks(): void {
    this.#tickedAt = this.#deps.clock.now();
    this.#wallTime = this.#deps.clock.unixTime();
  }

  /** @returns whether they have changed */
  #noteAddresses(): boolean {
    const before = this.#addresses;
    this.#addresses = this.#readAddresses();
    return this.#addresses !== before;
  }

  #readAddresses(): string {
    // Link-local ones lead to nobody beyond the cable, and come and go with every container of this machine.
    const addresses = this.#deps
      .interfaces()
      .map(({ address }) => address)
      .filter((address) => !address.includes('%'));
    return addresses.sort().join(' ');
  }
}
