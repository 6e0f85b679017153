/** Parsers for the values of options: durations, dates, numbers. */
import { type Clock, LAST_UNIX_TIME, unixTimeOf } from '../../base/clock.js';
import { usage } from './ctl-error.js';

/** ms. */
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Parses `30d`, `1h30m`, `90s` to ms. @throws CtlError `usage` */
export function parseDuration(text: string, option: string, examples = '30s, 10m, 24h, 30d, 2w, 1h30m'): number {
  const parts = [...text.matchAll(/([0-9]{1,9})(ms|[smhdw])/g)];
  if (text === '' || parts.map(([part]) => part).join('') !== text) {
    throw usage(`"${text}" is not a duration for ${option}`, `examples: ${examples}`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit as string] as number), 0);
}

/** Parses a duration from now, such as `30d`, or a date with or without a time of day, to Unix time. @throws CtlError `usage` */
export function parseExpiry(text: string, clock: Clock): number {
  const date = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d))?$/.exec(text);
  const now = clock.unixTime();
  const [, year, month, day, hour = '0', minute = '0'] = date ?? [];
  const moment =
    date === null
      ? now + Math.round(parseDuration(text, '--expires', '12h, 30d, 2027-01-31, 2027-01-31T18:00') / 1000)
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
  return moment;
}

/** Parses a whole number. @throws CtlError `usage` */
export function parseCount(text: string, option: string, most: number): number {
  const count = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= most)) throw usage(`"${text}" is not a number for ${option}`, `use a number from 0 to ${most}`);
  return count;
}
