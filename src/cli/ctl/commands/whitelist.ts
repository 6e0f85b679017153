/** `tuntoxctl whitelist`: the clients that are admitted by their key, and their targets. */
import { shortKey } from '../../../base/short-key.js';
import { bytesText, countText, durationText } from '../../../base/units.js';
import type { Result } from '../../../control/protocol.js';
import type { Output } from '../../output.js';
import type { Option } from '../arguments.js';
import { type Command, type Context, show, withConfirmation, YES } from '../command.js';
import { usage } from '../ctl-error.js';
import { accessText, elapsedSince, NAME_COLUMNS, nameCells, timeText } from '../names.js';
import { expiryValue, rateValue, tunnelsValue } from '../values.js';

type Change = Result<'whitelist.add'>;
type Entry = Change['added'][number];

export const NAME: Option = {
  name: '--name',
  value: 'NAME',
  about: 'a name for the client, such as laptop or ci.build',
};
export const ALLOW: Option = {
  name: '--allow',
  value: 'HOST:PORT',
  isRepeatable: true,
  about:
    'allow this target, in the syntax of the rules file; may be repeated. Without it, the client may reach every target that the rules allow',
};
export const ALLOW_REVERSE: Option = {
  name: '--allow-reverse',
  value: '[BIND:]PORT',
  isRepeatable: true,
  about:
    'let the client have this port of the daemon opened for itself (tuntox -R); may be repeated. BIND is localhost unless given; * means all addresses, port 0 every port from 1024 on',
};
export const RATE: Option = {
  name: '--rate',
  value: 'RATE',
  about:
    'carry at most so many bytes a second in each direction, for all tunnels of the client together: 500K, 5M. What an original tuntox sends is not limited',
};
export const MAX_TUNNELS: Option = {
  name: '--max-tunnels',
  value: 'N',
  about: 'allow at most so many tunnels at a time',
};
export const EXPIRES: Option = {
  name: '--expires',
  value: 'TIME',
  about: 'when access ends: 30d, 12h, 2027-01-31, 2027-01-31T18:00',
};
export const NOTE: Option = { name: '--note', value: 'TEXT', about: 'a note to yourself' };
export const ADOPT: Option = {
  name: '--adopt',
  about: 'also add the connected clients that used only the secret',
};
export const IF_ABSENT = {
  name: '--if-absent',
  about: 'skip clients that are already on the whitelist instead of failing',
} as const;
const ENTRY = { name: 'CLIENT', completes: 'entry' } as const;

export const WHITELIST_COMMANDS: readonly Command[] = [
  {
    path: ['whitelist', 'list'],
    isDefault: true,
    about: 'list the clients on the whitelist',
    examples: ['', '--json'],
    run: async (context) => {
      const list = await context.session.call('whitelist.list', {});
      const now = context.clock.unixTime();
      show(context, list, ({ entries, enabled }, out) => {
        const isInvited = entries.some(({ invited }) => invited);
        const isLimited = entries.some((entry) => limitsText(entry) !== '');
        if (entries.length === 0) {
          out.line(enabled ? 'the whitelist is on but empty: it admits no client' : 'the whitelist is off');
          out.line('to add a client: tuntoxctl whitelist add ID', { indent: 2 });
          return;
        }
        out.table(
          [
            ...NAME_COLUMNS,
            { heading: 'ALLOW', narrowest: 14 },
            ...(isLimited ? [{ heading: 'LIMITS', narrowest: 10 }] : []),
            { heading: 'EXPIRES' },
            { heading: 'NOTE', narrowest: 10 },
          ],
          entries.map((entry) => [
            ...nameCells(entry),
            accessText(entry),
            ...(isLimited ? [limitsText(entry) || '-'] : []),
            entry.expired ? 'EXPIRED' : expiryText(entry.expiresAt, now),
            entry.invited ? `invited${entry.note === '' ? '' : `: ${entry.note}`}` : entry.note,
          ]),
        );
        if (isInvited && !enabled) {
          out.line('the whitelist is off: these clients came by an invitation, and need nothing else', { indent: 2 });
        }
      });
    },
  },
  {
    path: ['whitelist', 'add'],
    isWrite: true,
    about: 'add a client to the whitelist',
    more: 'The whitelist is in force from its first entry until whitelist off. If that would disconnect clients that used only the secret, it names them and asks first. A client that was refused is listed by clients pending, and clients approve adds it.',
    arguments: [{ name: 'ID' }],
    options: [NAME, ALLOW, ALLOW_REVERSE, RATE, MAX_TUNNELS, EXPIRES, NOTE, YES, ADOPT, IF_ABSENT],
    examples: ['5A40C344…C4054 --name laptop', '5A40C344…C4054 --allow 127.0.0.1:22 --expires 30d'],
    run: async (context) => {
      const { given, session } = context;
      const params = {
        id: given.argument(0),
        ...entryOf(context),
        adopt: given.has(ADOPT.name),
        ifAbsent: given.has(IF_ABSENT.name),
        dryRun: given.dryRun,
      };
      const change = await withConfirmation(context, (confirmed) =>
        session.call('whitelist.add', { ...params, confirmed }),
      );
      showChange(context, change);
    },
  },
  {
    path: ['whitelist', 'edit'],
    isWrite: true,
    about: 'change an entry; options that are not given stay as they are',
    arguments: [ENTRY],
    options: [
      NAME,
      { name: '--no-name', about: 'remove its name' },
      {
        ...ALLOW,
        about: 'replace its targets with this one; may be repeated. "any" means every target that the rules allow',
      },
      {
        ...ALLOW_REVERSE,
        about: 'replace the ports that it may have opened with this one; may be repeated. "none" means no port',
      },
      { ...RATE, about: `${RATE.about}; or "none"` },
      { ...MAX_TUNNELS, about: `${MAX_TUNNELS.about}, and close the newest ones above that; or "none"` },
      { ...EXPIRES, about: 'when access ends: 30d, 2027-01-31, or "never"' },
      { ...NOTE, about: 'a note to yourself; an empty one is removed' },
    ],
    examples: [
      'laptop --expires never',
      'laptop --allow-reverse 8080',
      'laptop --allow 127.0.0.1:22 --allow 127.0.0.1:80',
    ],
    run: async (context) => {
      const { given, session } = context;
      const params = editOf(context);
      if (Object.keys(params).length === 0) {
        throw usage(
          'whitelist edit needs something to change',
          'give --name, --no-name, --allow, --allow-reverse, --rate, --max-tunnels, --expires or --note',
        );
      }
      const change = await session.call('whitelist.edit', {
        client: given.argument(0),
        ...params,
        dryRun: given.dryRun,
      });
      showChange(context, change);
    },
  },
  {
    path: ['whitelist', 'remove'],
    isWrite: true,
    about: 'remove a client from the whitelist and close its tunnels',
    more: 'The whitelist stays on without its last entry: it then admits no client.',
    arguments: [ENTRY],
    examples: ['laptop', '9F3A11C2 --dry-run'],
    run: async (context) => {
      const { given, session } = context;
      const change = await session.call('whitelist.remove', { client: given.argument(0), dryRun: given.dryRun });
      showChange(context, change);
    },
  },
  {
    path: ['whitelist', 'off'],
    isWrite: true,
    about: 'turn the whitelist off',
    more: 'It asks before it removes the remaining entries. Without a secret, no client is admitted afterwards.',
    options: [YES],
    examples: ['', '--yes'],
    run: async (context) => {
      const { given, session } = context;
      const change = await withConfirmation(context, (confirmed) =>
        session.call('whitelist.off', { confirmed, dryRun: given.dryRun }),
      );
      showChange(context, change);
    },
  },
];

/** Returns the parameters of a new entry. @throws CtlError */
export function entryOf({ given, clock }: Context) {
  const expires = given.value('--expires');
  return {
    ...optional('name', given.value('--name')),
    ...optional('note', given.value('--note')),
    ...(given.has('--allow') ? { allow: [...given.values('--allow')] } : {}),
    ...(given.has('--allow-reverse') ? { allowReverse: [...given.values('--allow-reverse')] } : {}),
    ...newLimitsOf(given),
    ...(expires === undefined ? {} : { expiresAt: expiryValue(expires, clock) }),
  };
}

/** Returns the limits that are given; null for "none". @throws CtlError */
function limitsOf(given: Context['given']) {
  const [rate, tunnels] = [given.value(RATE.name), given.value(MAX_TUNNELS.name)];
  return {
    ...(rate === undefined ? {} : { rate: rateValue(rate, RATE.name) }),
    ...(tunnels === undefined ? {} : { maxTunnels: tunnelsValue(tunnels, MAX_TUNNELS.name) }),
  };
}

/** Returns the limits of a new entry, for which "none" is the default. @throws CtlError */
export function newLimitsOf(given: Context['given']) {
  const { rate, maxTunnels } = limitsOf(given);
  return { ...(rate == null ? {} : { rate }), ...(maxTunnels == null ? {} : { maxTunnels }) };
}

const optional = <K extends string>(key: K, value: string | undefined): { readonly [key in K]?: string } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: string });

function editOf({ given, clock }: Context) {
  const name = given.value('--name');
  const expires = given.value('--expires');
  const allow = given.values('--allow');
  const allowReverse = given.values('--allow-reverse');
  if (name !== undefined && given.has('--no-name'))
    throw usage('--name and --no-name cannot be used together', 'remove one of them');
  if (allow.includes('any') && allow.length > 1)
    throw usage('--allow any already allows every target', 'remove the other --allow');
  if (allowReverse.includes('none') && allowReverse.length > 1)
    throw usage('--allow-reverse none allows no port', 'remove the other --allow-reverse');
  return {
    ...(given.has('--no-name') ? { name: null } : optional('name', name)),
    ...(given.has('--allow') ? { allow: allow.includes('any') ? [] : [...allow] } : {}),
    ...(given.has('--allow-reverse') ? { allowReverse: allowReverse.includes('none') ? [] : [...allowReverse] } : {}),
    ...limitsOf(given),
    ...(expires === undefined ? {} : { expiresAt: expires === 'never' ? null : expiryValue(expires, clock) }),
    ...optional('note', given.value('--note')),
  };
}

const expiryText = (expiresAt: string | null, now: number): string =>
  expiresAt === null ? 'never' : `${timeText(expiresAt).slice(0, 10)} (${durationText(-elapsedSince(expiresAt, now))})`;

/** Prints what a change of the whitelist did, or would do. */
export function showChange(context: Context, change: Change): void {
  const { dryRun } = context.given;
  show(context, change, (_, out) => printChange(out, change, dryRun, context.clock.unixTime()));
}

export function printChange(out: Output, change: Change, dryRun: boolean, now: number): void {
  const would = dryRun ? 'would be ' : '';
  const lists = [
    ['added', change.added],
    ['changed', change.changed],
    ['removed', change.removed],
  ] as const;
  for (const [verb, entries] of lists) {
    for (const entry of entries) out.line(`${would}${verb}  ${entryText(entry, now)}`, { indent: would.length + 7 });
  }
  if (change.notes.length === 0 && lists.every(([, entries]) => entries.length === 0)) out.line('nothing to change');
  if (change.closedTunnels > 0) {
    out.line(`${dryRun ? 'would close' : 'closed'}  ${countText(change.closedTunnels, 'tunnel')}`);
  }
  for (const note of change.notes) out.line(note, { indent: 2 });
}

/** Returns the limits in words; '' when there are none. */
export const limitsText = ({ rate, maxTunnels }: Pick<Entry, 'rate' | 'maxTunnels'>): string =>
  [
    ...(rate === null ? [] : [`${bytesText(rate)}/s each way`]),
    ...(maxTunnels === null ? [] : [countText(maxTunnels, 'tunnel')]),
  ].join(', ');

function entryText(entry: Entry, now: number): string {
  const { publicKey, name, expiresAt, note } = entry;
  const limited = limitsText(entry);
  return [
    ...(name === null ? [] : [name]),
    shortKey(publicKey),
    `allow ${accessText(entry)}`,
    ...(limited === '' ? [] : [`at most ${limited}`]),
    ...(expiresAt === null ? [] : [`expires ${expiryOf(expiresAt, now)}`]),
    ...(note === '' ? [] : [`note ${note}`]),
  ].join('  ');
}

function expiryOf(at: string, now: number): string {
  const left = -elapsedSince(at, now);
  return `${timeText(at)} (${left <= 0 ? 'expired' : durationText(left)})`;
}
