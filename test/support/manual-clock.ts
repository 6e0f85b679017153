/** Simulated time: it stands still until a test advances it, and then fires timers in order, at their exact times. */
import type { Clock, Timer } from '../../src/base/clock.js';

interface Entry {
  time: number;
  readonly order: number;
  readonly callback: () => void;
  readonly interval: number | undefined;
  state: 'waiting' | 'fired' | 'cancelled';
}

export class ManualClock implements Clock {
  #now = 0;
  #order = 0;
  /** A binary heap by time, then by order of making. */
  readonly #heap: Entry[] = [];
  /** Entries that wait; cancelled ones stay in the heap until their time. */
  #pending = 0;
  readonly #unixStart: number;

  constructor(unixStart = 1_800_000_000) {
    this.#unixStart = unixStart;
  }

  now(): number {
    return this.#now;
  }

  unixTime(): number {
    return this.#unixStart + Math.floor(this.#now / 1000);
  }

  after(delay: number, callback: () => void): Timer {
    return this.#add(Math.max(0, delay), callback, undefined);
  }

  every(interval: number, callback: () => void): Timer {
    return this.#add(interval, callback, Math.max(1, interval));
  }

  soon(callback: () => void): Timer {
    return this.#add(0, callback, undefined);
  }

  /** Lets `duration` ms pass. */
  advance(duration: number): void {
    const end = this.#now + duration;
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.time > end) break;
      this.#fire();
    }
    this.#now = end;
  }

  /** Lets time pass until `condition` holds, at most `limit` ms; returns whether it came to hold. */
  runUntil(condition: () => boolean, limit: number): boolean {
    const end = this.#now + limit;
    while (!condition()) {
      const next = this.#heap[0];
      if (next === undefined || next.time > end) {
        this.#now = end;
        return condition();
      }
      this.#fire();
    }
    return true;
  }

  /** Timers that have not fired or been cancelled. */
  get pending(): number {
    return this.#pending;
  }

  #add(delay: number, callback: () => void, interval: number | undefined): Timer {
    this.#order += 1;
    const entry: Entry = { time: this.#now + delay, order: this.#order, callback, interval, state: 'waiting' };
    this.#push(entry);
    return {
      cancel: () => {
        if (entry.state === 'waiting') this.#pending -= 1;
        entry.state = 'cancelled';
      },
    };
  }

  #fire(): void {
    const entry = this.#pop();
    if (entry.state === 'cancelled') return;
    this.#pending -= 1;
    entry.state = 'fired';
    this.#now = Math.max(this.#now, entry.time);
    entry.callback();
    if (entry.interval === undefined || this.#isCancelled(entry)) return;
    entry.state = 'waiting';
    entry.time += entry.interval;
    this.#push(entry);
  }

  /** Its callback may have cancelled it. */
  #isCancelled(entry: Entry): boolean {
    return entry.state === 'cancelled';
  }

  #push(entry: Entry): void {
    this.#pending += 1;
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent] as Entry, entry)) break;
      heap[at] = heap[parent] as Entry;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const top = heap[0] as Entry;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (isBefore(last, heap[child] as Entry)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);
