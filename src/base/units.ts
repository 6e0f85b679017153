/** Sizes, times and counts as text for people, and durations that people write. Pure. */
import { localTimeOf } from './clock.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Returns at most three digits, so that a column of sizes is seven wide. */
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

/** Returns the two largest units of a duration in ms, such as `3d 4h`. */
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

/** Returns a duration without a space, for a column of ages. */
export const ageText = (duration: number): string => durationText(duration, '');

/** @param duration ms; null when it was not measured */
export function roundTripText(duration: number | null): string {
  if (duration === null) return '-';
  if (duration < 9.95) return `${duration.toFixed(1)}ms`;
  return duration < 999.5 ? `${Math.round(duration)}ms` : `${(duration / SECOND).toFixed(1)}s`;
}

/** Returns a Unix time as a date and time of day of this machine. */
export function dateText(unixTime: number, hasSeconds = false): string {
  const { year, month, day, hour, minute, second } = localTimeOf(unixTime);
  const [mm, dd, hh, min, ss] = [month, day, hour, minute, second].map((number) => String(number).padStart(2, '0'));
  return `${year}-${mm}-${dd} ${hh}:${min}${hasSeconds ? `:${ss}` : ''}`;
}

/** `1 client`, `2 clients`. */
export const countText = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const MS_OF_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
  d: DAY,
  w: 7 * DAY,
};

/** Parses `30s`, `1.5h`, `1h30m` or `2w`. @returns ms; undefined when it is not a duration */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|[smhdw]))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/([0-9.]+)(ms|[smhdw])/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (MS_OF_UNIT[unit as string] as number), 0);
}

const BYTES_OF_UNIT: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** Parses `500K`, `5M`, `1.5G` or a number of bytes; the units are powers of 1024, as in `bytesText`. @returns undefined when it is none */
export function parseBytes(text: string): number | undefined {
  const [, count, unit = ''] = /^([0-9]{1,12}(?:\.[0-9]{1,3})?)([KMG])?(?:i?B)?$/i.exec(text) ?? [];
  return count === undefined ? undefined : Math.round(Number(count) * (BYTES_OF_UNIT[unit.toUpperCase()] ?? 1));
}

/** Parses a whole number of at most 9 digits. @returns undefined when it is not one */
export const parseCount = (text: string): number | undefined => (/^[0-9]{1,9}$/.test(text) ? Number(text) : undefined);
