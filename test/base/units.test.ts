import t from 'tap';
import { localTimeOf, unixTimeOf } from '../../src/base/clock.js';
import {
  ageText,
  bytesText,
  countText,
  dateText,
  durationText,
  parseBytes,
  parseCount,
  parseDuration,
  roundTripText,
} from '../../src/base/units.js';

t.test('sizes have at most three digits', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 KiB'],
    [901_000, '880 KiB'],
    [4_300_000, '4.1 MiB'],
    [1023 * 1024, '1.0 MiB'],
    [1_288_490_188, '1.2 GiB'],
    [2 ** 50, '1024 TiB'],
  ];
  for (const [bytes, text] of cases) t.equal(bytesText(bytes), text);
});

t.test('durations have their two largest units', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [59_999, '59s'],
    [90_000, '1m 30s'],
    [72 * 60_000, '1h 12m'],
    [76 * 3_600_000, '3d 4h'],
    [30 * 86_400_000, '30d'],
    [3_600_000, '1h'],
  ];
  for (const [duration, text] of cases) t.equal(durationText(duration), text);
  t.equal(ageText(72 * 60_000), '1h12m');
});

t.test('round-trip times have two or three digits', async (t) => {
  t.same([null, 0.31, 23.4, 180, 1_800].map(roundTripText), ['-', '0.3ms', '23ms', '180ms', '1.8s']);
});

t.test('a date is in the time zone of this machine, and can be converted back', async (t) => {
  const moment = unixTimeOf({ year: 2027, month: 1, day: 31, hour: 18, minute: 5, second: 9 }) as number;
  t.equal(dateText(moment), '2027-01-31 18:05');
  t.equal(dateText(moment, true), '2027-01-31 18:05:09');
  t.equal(unixTimeOf(localTimeOf(moment)), moment);
  t.equal(unixTimeOf({ year: 2027, month: 2, day: 29, hour: 0, minute: 0, second: 0 }), undefined);
  t.equal(unixTimeOf({ year: 2027, month: 1, day: 1, hour: 24, minute: 0, second: 0 }), undefined);
});

t.test('a count of one has no plural', async (t) => {
  t.same(
    [0, 1, 2].map((count) => countText(count, 'client')),
    ['0 clients', '1 client', '2 clients'],
  );
});

t.test('a duration may have fractions and several units', async (t) => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['500ms', 500],
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['1h30m', 5_400_000],
    ['2w', 14 * 86_400_000],
    ['', undefined],
    ['90', undefined],
    ['-1s', undefined],
    ['1.s', undefined],
    ['1h 30m', undefined],
    ['1y', undefined],
  ];
  for (const [text, duration] of cases) t.equal(parseDuration(text), duration, text);
});

t.test('bytes have units of 1024, as they are shown', async (t) => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['5M', 5 * 1024 * 1024],
    ['5MiB', 5 * 1024 * 1024],
    ['500k', 512_000],
    ['1.5G', 1_610_612_736],
    ['2048', 2048],
    ['2048B', 2048],
    ['', undefined],
    ['M', undefined],
    ['-1M', undefined],
    ['1e6', undefined],
    ['5 M', undefined],
    ['5T', undefined],
  ];
  for (const [text, bytes] of cases) t.equal(parseBytes(text), bytes, text);
});

t.test('a count is a whole number', async (t) => {
  t.same(['0', '12', '', '-1', '1.5', '1e3', '1'.repeat(10)].map(parseCount), [0, 12, ...Array(5)]);
});
