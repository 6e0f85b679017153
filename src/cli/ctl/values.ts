/** Parsers for the values of options: durations, dates, numbers. */
import { type Clock, LAST_UNIX_TIME, rfc3339, unixTimeOf } from '../../base/clock.js';
import { parseBytes, parseCount, parseDuration } from '../../base/units.js';
import { usage } from './ctl-error.js';

/** Parses `30d`, `1h30m`, `90s` to whole ms. @throws CtlError `usage` */
export function durationValue(text: string, option: string, examples = '30s, 10m, 24h, 30d, 2w, 1h30m'): number {
  const duration = parseDuration(text);
  if (duration === undefined) throw usage(`"${text}" is not a duration for ${option}`, `examples: ${examples}`);
  return Math.round(duration);
}

/** Parses a duration from now, such as `30d`, or a date with or without a time of day, as RFC 3339 writes it. @throws CtlError `usage` */
export function expiryValue(text: string, clock: Clock): string {
  const date = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d))?$/.exec(text);
  const now = clock.unixTime();
  const [, year, month, day, hour = '0', minute = '0'] = date ?? [];
  const moment =
    date === null
      ? now + Math.round(durationValue(text, '--expires', '12h, 30d, 2027-01-31, 2027-01-31T18:00') / 1000)
      : unixTimeOf({
          year: Number(year),
          month: Number(month),
          day: Number(day),
          hour: Number(hour),
          minute: Number(minute),
          second: 0,
        });
  if (moment === undefined) throw usage(`"${text}" is not a valid date`, 'examples: 2027-01-31, 2027-01-31T18:00');
  if (moment > LAST_UNIX_TIME) throw usage(`"${text}" is too far in the future`, 'use a shorter time, such as 365d');
  if (moment <= now) throw usage(`"${text}" is in the past`, 'use a future date, or a duration such as 30d');
  return rfc3339(moment);
}

/** Parses a whole number. @throws CtlError `usage` */
export function countValue(text: string, option: string, most: number): number {
  const count = parseCount(text);
  if (count === undefined || count > most)
    throw usage(`"${text}" is not a number for ${option}`, `use a number from 0 to ${most}`);
  return count;
}

const [MIN_RATE, MAX_RATE] = [1024, 1e12] as const;
const MAX_TUNNELS = 1024;
const NONE = 'none';

/** Parses a rate, such as `5M`, to bytes per second; null for `none`. @throws CtlError `usage` */
export function rateValue(text: string, option: string): number | null {
  if (text === NONE) return null;
  const rate = parseBytes(text.replace(/\/s$/, ''));
  const examples = 'bytes a second: 500K, 5M, 1.5G';
  if (rate === undefined) throw usage(`"${text}" is not a rate for ${option}`, examples);
  if (rate < MIN_RATE)
    throw usage(`"${text}" is too slow for ${option}`, 'use 1K or more; to admit it no longer: whitelist remove');
  if (rate > MAX_RATE) throw usage(`"${text}" is too fast for ${option}`, examples);
  return rate;
}

/** Parses a number of tunnels; null for `none`. @throws CtlError `usage` */
export function tunnelsValue(text: string, option: string): number | null {
  if (text === NONE) return null;
  const count = parseCount(text);
  if (count !== undefined && count >= 1 && count <= MAX_TUNNELS) return count;
  throw usage(`"${text}" is not a number of tunnels for ${option}`, `use a number from 1 to ${MAX_TUNNELS}`);
}
