/** Numbers as people read them. Pure. */
import { localTimeOf } from '../base/clock.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Bytes: at most three digits, so that a column of them is seven wide. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes;
  for (const unit of ['KiB', 'MiB', 'GiB', 'TiB']) {
    value /= 1024;
    if (value < 9.95) return `${value.toFixed(1)} ${unit}`;
    if (value < 999.5) return `${Math.round(value)} ${unit}`;
  }
  return `${Math.round(value)} TiB`;
}

/** The two largest units of a length of time in ms, such as `3d 4h`. */
export function durationText(duration: number, separator = ' '): string {
  if (duration < MINUTE) return `${Math.floor(duration / SECOND)}s`;
  if (duration < HOUR) return pair(duration, [MINUTE, 'm'], [SECOND, 's'], separator);
  if (duration < DAY) return pair(duration, [HOUR, 'h'], [MINUTE, 'm'], separator);
  if (duration < 10 * DAY) return pair(duration, [DAY, 'd'], [HOUR, 'h'], separator);
  return `${Math.floor(duration / DAY)}d`;
}

type Unit = readonly [number, string];

function pair(duration: number, [large, largeName]: Unit, [small, smallName]: Unit, separator: string): string {
  const rest = Math.floor((duration % large) / small);
  const first = `${Math.floor(duration / large)}${largeName}`;
  return rest === 0 ? first : `${first}${separator}${rest}${smallName}`;
}

/** For a column of ages: five wide, but for hours with minutes of two digits. */
export const ageText = (duration: number): string => durationText(duration, '');

/** ms of a round trip. */
export function roundTripText(duration: number | null): string {
  if (duration === null) return '-';
  if (duration < 9.95) return `${duration.toFixed(1)}ms`;
  return duration < 999.5 ? `${Math.round(duration)}ms` : `${(duration / SECOND).toFixed(1)}s`;
}

/** Seconds since 1970 as a date and time of day of this machine. */
export function dateText(unixTime: number, hasSeconds = false): string {
  const { year, month, day, hour, minute, second } = localTimeOf(unixTime);
  const [mm, dd, hh, min, ss] = [month, day, hour, minute, second].map((number) => String(number).padStart(2, '0'));
  return `${year}-${mm}-${dd} ${hh}:${min}${hasSeconds ? `:${ss}` : ''}`;
}

/** `1 client`, `2 clients`. */
export const countText = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
