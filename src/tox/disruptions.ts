/**
 * Notices events after which everything known about the network may be wrong: this machine slept, this process was stopped, or the
 * machine's addresses have changed. A late tick shows sleep and stops; so does the wall clock, which continues while the monotonic
 * clock stands still during sleep (on Linux).
 */
import type { Clock, Timer } from '../base/clock.js';
import type { LocalInterface } from './network/interfaces.js';

/** ms. */
const TICK = 1_000;
/** ms that a tick may be late on a busy machine; NAT mappings and peers survive that. */
const LATE = 5_000;
/** Ticks between checks of the addresses, each of which costs some 50 µs. */
const ADDRESS_TICKS = 2;

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
    // Setting the clock looks like sleep, which does no harm.
    const passed = Math.max(clock.now() - this.#tickedAt, (clock.unixTime() - this.#wallTime) * 1000);
    this.#readClocks();
    const isLate = passed - TICK > LATE;
    this.#ticks += 1;
    const hasMoved = (isLate || this.#ticks % ADDRESS_TICKS === 0) && this.#noteAddresses();
    if (isLate) onDisruption(`asleep or stopped for ${Math.round((passed - TICK) / 1000)} s`);
    else if (hasMoved) onDisruption('the addresses of this machine have changed');
  }

  #readClocks(): void {
    this.#tickedAt = this.#deps.clock.now();
    this.#wallTime = this.#deps.clock.unixTime();
  }

  /** Reads the addresses again. @returns whether they have changed */
  #noteAddresses(): boolean {
    const before = this.#addresses;
    this.#addresses = this.#readAddresses();
    return this.#addresses !== before;
  }

  #readAddresses(): string {
    // Link-local addresses reach no peers beyond the link, and change with every container of this machine.
    const addresses = this.#deps
      .interfaces()
      .map(({ address }) => address)
      .filter((address) => !address.includes('%'));
    return addresses.sort().join(' ');
  }
}
