/** What a long-lived process uses, sampled now and again, and whether that grows. */
import { readdirSync } from 'node:fs';
import type { Process } from '../../test/support/processes.js';
import { memoryOf } from '../support/private-network.js';
import { median, most } from '../support/statistics.js';
import { usageDuring } from '../support/usage.js';

const MIB = 2 ** 20;

/** Values in the order in which they were measured, and by how much they may have grown at most. */
export class Series {
  readonly name: string;
  readonly #unit: string;
  readonly #tolerance: number;
  readonly #values: number[] = [];

  /** @param tolerance of the median of the last third above that of the first third */
  constructor(name: string, unit: string, tolerance: number) {
    this.name = name;
    this.#unit = unit;
    this.#tolerance = tolerance;
  }

  add(value: number): void {
    this.#values.push(value);
  }

  get hasGrown(): boolean {
    const third = Math.max(1, Math.floor(this.#values.length / 3));
    return median(this.#values.slice(-third)) > median(this.#values.slice(0, third)) + this.#tolerance;
  }

  /** name, first, median, worst, last, verdict */
  row(): string[] {
    const values = this.#values;
    const cells = [values[0], median(values), most(values), values.at(-1)].map((value) =>
      value === undefined || Number.isNaN(value) ? '-' : value.toFixed(value < 10 ? 1 : 0),
    );
    return [`${this.name}, ${this.#unit}`, ...cells, this.hasGrown ? 'GROWS' : 'ok'];
  }
}

/** Memory and descriptors of a process. */
export class Watch {
  readonly #process: Process;
  readonly resident: Series;
  readonly descriptors: Series;
  readonly idle: Series;

  constructor(process: Process) {
    this.#process = process;
    this.resident = new Series(`${process.name}: memory`, 'MiB', 25);
    // Connections of clients that were killed are closed when their silence is noticed.
    this.descriptors = new Series(`${process.name}: descriptors`, 'number', 8);
    this.idle = new Series(`${process.name}: idle`, '% CPU', 3);
  }

  sample(): void {
    this.resident.add((memoryOf(this.#process)?.resident ?? Number.NaN) / MIB);
    this.descriptors.add(readdirSync(`/proc/${this.#process.pid}/fd`).length);
  }

  /** @param rest lasts as long as nothing is asked of the process */
  async whileIdle(rest: Promise<unknown>): Promise<void> {
    const [usage] = await usageDuring(rest, [this.#process]);
    if (usage !== undefined) this.idle.add(usage.processor);
  }

  /** A series of its own for the memory after each of some transfers. */
  afterTransfers(): { readonly series: Series; sample(): void } {
    const series = new Series(`${this.#process.name}: memory after transfers`, 'MiB', 25);
    return { series, sample: () => series.add((memoryOf(this.#process)?.resident ?? Number.NaN) / MIB) };
  }

  get series(): Series[] {
    return [this.resident, this.descriptors, this.idle];
  }
}
