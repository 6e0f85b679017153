/** What a change of the whitelist did, for people. */
import type { Result } from '../../control/protocol.js';
import { countText, dateText, durationText } from '../humanise.js';
import type { Output } from '../output.js';
import { allowText, shortKey } from './names.js';

export const IF_ABSENT = {
  name: '--if-absent',
  about: 'leave clients that are on the list already as they are: no error',
} as const;

type Change = Result<'whitelist.add'>;
type Entry = Change['added'][number];

export function printChange(out: Output, change: Change, isDryRun: boolean, now: number): void {
  const would = isDryRun ? 'would be ' : '';
  const lists = [
    ['added', change.added],
    ['changed', change.changed],
    ['removed', change.removed],
  ] as const;
  for (const [verb, entries] of lists) {
    for (const entry of entries) out.line(`${would}${verb}  ${entryText(entry, now)}`, { indent: would.length + 7 });
  }
  if (lists.every(([, entries]) => entries.length === 0)) out.line('nothing to change');
  if (change.closedTunnels > 0) {
    out.line(`${isDryRun ? 'would close' : 'closed'}  ${countText(change.closedTunnels, 'tunnel')}`);
  }
  for (const note of change.notes) out.line(note, { indent: 2 });
}

function entryText({ publicKey, alias, allow, expiresAt, note }: Entry, now: number): string {
  return [
    ...(alias === null ? [] : [alias]),
    shortKey(publicKey),
    `allow ${allowText(allow)}`,
    ...(expiresAt === null ? [] : [`expires ${expiryText(expiresAt, now)}`]),
    ...(note === '' ? [] : [`note ${note}`]),
  ].join('  ');
}

const expiryText = (at: number, now: number): string =>
  at <= now ? `${dateText(at)} (over)` : `${dateText(at)} (${durationText((at - now) * 1000)})`;
