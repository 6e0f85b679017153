/** What people type as values of options: lengths of time, dates, levels. */
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

/** `30d`, `1h30m`, `90s` in ms. @throws CtlError `usage` */
export function parseDuration(text: string, option: string): number {
  const parts = [...text.matchAll(/([0-9]{1,9})(ms|[smhdw])/g)];
  if (text === '' || parts.map(([part]) => part).join('') !== text) {
    throw usage(`"${text}" is not a length of time for ${option}`, 'write it as in 30s, 10m, 24h, 30d, 2w or 1h30m');
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit as string] as number), 0);
}

/** `30d` from now, or a date with or without a time of day, as Unix time. @throws CtlError `usage` */
export function parseExpiry(text: string, clock: Clock): number {
  const date = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d))?$/.exec(text);
  const now = clock.unixTime();
  const [, year, month, day, hour = '0', minute = '0'] = date ?? [];
  const moment =
    date === null
      ? now + Math.round(parseDuration(text, '--expires (which takes a date as well: 2027-01-31)') / 1000)
      : unixTimeOf({
          year: Number(year),
          month: Number(month),
          day: Number(day),
          hour: Number(hour),
          minute: Number(minute),
          second: 0,
        });
  if (moment === undefined)
    throw usage(`the calendar has no "${text}"`, 'write it as in 2027-01-31 or 2027-01-31T18:00');
  if (moment > LAST_UNIX_TIME) throw usage(`"${text}" is too long`, 'write never, or a shorter time, as in 365d');
  if (moment <= now) throw usage(`"${text}" is over already`, 'name a time that is to come, as in 30d');
  return moment;
}

/** A whole number. @throws CtlError `usage` */
export function parseCount(text: string, option: string, most: number): number {
  const count = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= most)) throw usage(`"${text}" is not a number for ${option}`, `write one from 0 to ${most}`);
  return count;
}
