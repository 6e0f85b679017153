/**
 * Time as a parameter: everything that waits or measures takes a Clock, so that a whole network of nodes runs in one process on
 * simulated time. Only this file uses the real time.
 */

export interface Timer {
  /** Stops the timer; has no effect after it has fired. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since an arbitrary start; monotonic, with fractions. */
  now(): number;
  /** Whole seconds since 1970, as in the Tox protocol. */
  unixTime(): number;
  /** Calls back once, `delay` ms from now. */
  after(delay: number, callback: () => void): Timer;
  /**
   * Calls back every `interval` ms, at most 24 days. Intervals from a second on may be up to half a second early or late, so that
   * the machine wakes once for all of them.
   */
  every(interval: number, callback: () => void): Timer;
  /** Calls back after the current events, such as a batch of datagrams; no time passes. */
  soon(callback: () => void): Timer;
}

/** `performance` would load 1 ms of Node, and takes twice as long for each call. */
function systemNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

/** The longest delay of Node's timers, about 24 days; a longer one fires at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Waits for longer than Node's timers can. A cancelled Timer that is kept does not keep what the callback refers to. */
function afterAnyDelay(delay: number, callback: () => void): Timer {
  const timer: { handle: NodeJS.Timeout | undefined } = { handle: undefined };
  waitOn(timer, delay, callback);
  return { cancel: () => clearTimeout(timer.handle) };
}

function waitOn(timer: { handle: NodeJS.Timeout | undefined }, left: number, callback: () => void): void {
  const piece = Math.min(left, LONGEST_DELAY);
  timer.handle = setTimeout(() => (left > piece ? waitOn(timer, left - piece, callback) : callback()), piece);
}

const SECOND = 1_000;

/** Returns the next whole second of a clock that is at least a third of a second away, ms. */
export const nextSecond = (now: number): number => (Math.floor((now + SECOND / 3) / SECOND) + 1) * SECOND;

interface Beat {
  readonly interval: number;
  /** Undefined after cancel: a Timer that is kept must not keep what the callback refers to, such as a closed connection. */
  callback: (() => void) | undefined;
  dueAt: number;
}

/**
 * One timer, at whole seconds, for all periodic work of a second or more: waking an idle process costs more than that work.
 */
class SecondHand {
  readonly #beats = new Set<Beat>();
  #handle: NodeJS.Timeout | undefined;

  every(interval: number, callback: () => void): Timer {
    const beat: Beat = { interval, callback, dueAt: systemNow() + interval };
    this.#beats.add(beat);
    if (this.#handle === undefined) this.#wait();
    return { cancel: () => this.#cancel(beat) };
  }

  #cancel(beat: Beat): void {
    beat.callback = undefined;
    this.#beats.delete(beat);
    if (this.#beats.size > 0) return;
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  #wait(): void {
    const now = systemNow();
    this.#handle = setTimeout(() => this.#beat(), Math.ceil(nextSecond(now) - now));
  }

  #beat(): void {
    this.#wait();
    const now = systemNow();
    for (const beat of this.#beats) {
      if (beat.dueAt > now + SECOND / 2) continue;
      const { dueAt, interval, callback } = beat;
      // Rounds that were missed while the process was stopped are not repeated.
      beat.dueAt = dueAt + interval > now ? dueAt + interval : now + interval;
      callback?.();
    }
  }
}

const secondHand = new SecondHand();

export const systemClock: Clock = {
  now: systemNow,
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

/** Resolves after so many ms. */
export const pause = (clock: Pick<Clock, 'after'>, delay: number): Promise<void> =>
  new Promise((resolve) => void clock.after(delay, resolve));

/** µs of CLOCK_MONOTONIC, which is the same in all processes. */
export const systemMicroseconds = (): bigint => process.hrtime.bigint() / 1_000n;

/** The last second whose year has four digits: a later one is a typing error. */
export const LAST_UNIX_TIME = 253_402_300_799;

/** A date and time in the time zone of this machine. */
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

/** Returns seconds since 1970; undefined if there is no such date. */
export function unixTimeOf({ year, month, day, hour, minute, second }: LocalTime): number | undefined {
  const date = new Date(year, month - 1, day, hour, minute, second);
  // A Date carries over: 31 February would be in March.
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

/** Calls back after `delay` ms if the process still runs then: the timer does not keep it alive. */
export function ifStillRunning(delay: number, callback: () => void): void {
  setTimeout(callback, delay).unref();
}
