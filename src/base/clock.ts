/**
 * Time as a parameter. Everything that waits or measures takes a Clock, so that a whole network of nodes runs in one
 * process on simulated time. This file is the only place that touches the real one.
 */

export interface Timer {
  /** Stops the timer; harmless when it has fired or was cancelled before. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since an arbitrary start; monotonic, with fractions. */
  now(): number;
  /** Whole seconds since 1970, as the Tox protocol puts them on the wire. */
  unixTime(): number;
  /** Calls back once, `delay` ms from now. */
  after(delay: number, callback: () => void): Timer;
  /**
   * Calls back again and again, first after `interval` ms, which is at most 24 days; from a second on up to half a second
   * sooner or later, so that the machine is woken once for all that is done now and then.
   */
  every(interval: number, callback: () => void): Timer;
  /** Calls back once the events at hand (such as a batch of received datagrams) have been handled; no time passes. */
  soon(callback: () => void): Timer;
}

/** What Node's timers can count; a longer delay would make them fire at once. About 24 days. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Waits in pieces that Node can count. */
function afterAnyDelay(delay: number, callback: () => void): Timer {
  let handle: NodeJS.Timeout;
  const wait = (left: number): void => {
    const piece = Math.min(left, LONGEST_DELAY);
    handle = setTimeout(() => (left > piece ? wait(left - piece) : callback()), piece);
  };
  wait(delay);
  return { cancel: () => clearTimeout(handle) };
}

const SECOND = 1_000;

/** When the next whole second of a clock begins that is at least a third of a second away, ms. */
export const nextSecond = (now: number): number => (Math.floor((now + SECOND / 3) / SECOND) + 1) * SECOND;

interface Beat {
  readonly interval: number;
  readonly callback: () => void;
  dueAt: number;
}

/**
 * One timer for everything that is done each second or few, at whole seconds of the clock: a process that is idle is woken
 * by little else, and being woken costs it more than what there is to do.
 */
class SecondHand {
  readonly #beats = new Set<Beat>();
  #handle: NodeJS.Timeout | undefined;

  every(interval: number, callback: () => void): Timer {
    const beat: Beat = { interval, callback, dueAt: performance.now() + interval };
    this.#beats.add(beat);
    if (this.#handle === undefined) this.#wait();
    return { cancel: () => this.#cancel(beat) };
  }

  #cancel(beat: Beat): void {
    this.#beats.delete(beat);
    if (this.#beats.size > 0) return;
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  #wait(): void {
    const now = performance.now();
    this.#handle = setTimeout(() => this.#beat(), Math.ceil(nextSecond(now) - now));
  }

  #beat(): void {
    this.#wait();
    const now = performance.now();
    for (const beat of this.#beats) {
      if (beat.dueAt > now + SECOND / 2) continue;
      const { dueAt, interval, callback } = beat;
      // What was missed while the process was stopped is not made up for.
      beat.dueAt = dueAt + interval > now ? dueAt + interval : now + interval;
      callback();
    }
  }
}

const secondHand = new SecondHand();

export const systemClock: Clock = {
  now: () => performance.now(),
  unixTime: () => Math.floor(Date.now() / 1000),
  after: afterAnyDelay,
  every(interval, callback) {
    if (interval >= SECOND) return secondHand.every(interval, callback);
    const handle = setInterval(callback, interval);
    return { cancel: () => clearInterval(handle) };
  },
  soon(callback) {
    const handle = setImmediate(callback);
    return { cancel: () => clearImmediate(handle) };
  },
};

/** µs of the system's CLOCK_MONOTONIC, which other processes can compare with theirs. */
export const systemMicroseconds = (): bigint => process.hrtime.bigint() / 1_000n;

/** The last second whose year has four digits: who names a later one has mistyped. */
export const LAST_UNIX_TIME = 253_402_300_799;

/** A moment on the calendar and the clock of this machine. */
export interface LocalTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** @param unixTime seconds since 1970 */
export function localTimeOf(unixTime: number): LocalTime {
  const date = new Date(unixTime * 1000);
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
  };
}

/** Seconds since 1970; undefined when the calendar has no such moment. */
export function unixTimeOf({ year, month, day, hour, minute, second }: LocalTime): number | undefined {
  const date = new Date(year, month - 1, day, hour, minute, second);
  // What is too much is carried over: 31 February would be in March.
  const isMoment = date.getMonth() === month - 1 && date.getDate() === day && hour < 24 && minute < 60 && second < 60;
  return isMoment ? Math.floor(date.getTime() / 1000) : undefined;
}

/** Returns a Unix time in s as RFC 3339 writes it, such as `2027-01-31T18:00:00Z`. */
export const rfc3339 = (unixTime: number): string => new Date(unixTime * 1000).toISOString().replace('.000', '');

/** Returns the Unix time in whole s of an RFC 3339 time; undefined when the calendar has no such moment. */
export function unixTimeOfRfc3339(text: string): number | undefined {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number);
  // A day that is too large would be carried over.
  const isDay = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
  const time = Date.parse(text);
  return isDay && !Number.isNaN(time) ? Math.floor(time / 1000) : undefined;
}

/** Calls back once, `delay` ms from now, if the process still runs then: it keeps none alive. For the end of a command. */
export function ifStillRunning(delay: number, callback: () => void): void {
  setTimeout(callback, delay).unref();
}
