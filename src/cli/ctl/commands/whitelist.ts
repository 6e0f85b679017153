/** `tuntoxctl whitelist`: who gets in by name, and for what. */
import { dateText, durationText } from '../../humanise.js';
import { type Command, type Context, show } from '../command.js';
import { withConfirmation, YES } from '../confirm.js';
import { usage } from '../ctl-error.js';
import type { Option } from '../description.js';
import { allowText, NAME_COLUMNS, nameCells } from '../names.js';
import { parseExpiry } from '../values.js';
import { IF_ABSENT, printChange } from '../whitelist-change.js';

const NAME: Option = { name: '--name', value: 'N', about: 'what to call it, such as laptop or ci.build' };
const ALLOW: Option = {
  name: '--allow',
  value: 'H:P',
  isRepeatable: true,
  about:
    'allow this target, written like a line of the rules file; may be repeated. Without it the client reaches all that the rules allow',
};
const EXPIRES: Option = { name: '--expires', value: 'D', about: 'until then: 30d, 12h, 2027-01-31, 2027-01-31T18:00' };
const NOTE: Option = { name: '--note', value: 'T', about: 'a line to remember by' };
const ENTRY = { name: 'CLIENT', completes: 'entry' } as const;

export const WHITELIST_COMMANDS: readonly Command[] = [
  {
    path: ['whitelist', 'list'],
    isDefault: true,
    about: 'list who is on the whitelist',
    examples: ['', '--json'],
    run: async (context) => {
      const list = await context.session.call('whitelist.list', {});
      const now = context.clock.unixTime();
      show(context, list, ({ entries, isOn }, out) => {
        if (entries.length === 0) {
          out.line(isOn ? 'the whitelist is on and empty: it lets nobody in' : 'the whitelist is off');
          out.line('tuntoxctl whitelist add ID puts a client on it', { indent: 2 });
          return;
        }
        out.table(
          [
            ...NAME_COLUMNS,
            { heading: 'ALLOW', narrowest: 14 },
            { heading: 'EXPIRES' },
            { heading: 'NOTE', narrowest: 10 },
          ],
          entries.map((entry) => [
            ...nameCells(entry),
            allowText(entry.allow),
            entry.isExpired ? 'EXPIRED' : expiryText(entry.expiresAt, now),
            entry.note,
          ]),
        );
      });
    },
  },
  {
    path: ['whitelist', 'add'],
    isWrite: true,
    about: 'let a client in',
    more: 'From its first entry until whitelist off, the whitelist decides who gets in. If that shuts out clients that came by the secret alone, it names them and asks first.',
    arguments: [{ name: 'ID' }],
    options: [
      NAME,
      ALLOW,
      EXPIRES,
      NOTE,
      YES,
      { name: '--adopt', about: 'put those on the list who came by the secret' },
      IF_ABSENT,
    ],
    examples: ['5A40C344…C4054 --name laptop', '5A40C344…C4054 --allow 127.0.0.1:22 --expires 30d'],
    run: async (context) => {
      const { given, session, clock } = context;
      const expires = given.value('--expires');
      const params = {
        id: given.argument(0),
        ...given1('name', given.value('--name')),
        ...given1('note', given.value('--note')),
        ...(given.has('--allow') ? { allow: [...given.values('--allow')] } : {}),
        ...(expires === undefined ? {} : { expiresAt: parseExpiry(expires, clock) }),
        isAdopting: given.has('--adopt'),
        isIfAbsent: given.has(IF_ABSENT.name),
        isDryRun: given.isDryRun,
      };
      const change = await withConfirmation(context, (isConfirmed) =>
        session.call('whitelist.add', { ...params, isConfirmed }),
      );
      show(context, change, (result, out) => printChange(out, result, given.isDryRun, clock.unixTime()));
    },
  },
  {
    path: ['whitelist', 'edit'],
    isWrite: true,
    about: 'change an entry; what is not named stays',
    arguments: [ENTRY],
    options: [
      NAME,
      { name: '--no-name', about: 'take its name away' },
      { ...ALLOW, about: 'may reach these targets instead of those of before; "any" for all that the rules allow' },
      { ...EXPIRES, about: 'until then: 30d, 2027-01-31; "never" takes the end away' },
      { ...NOTE, about: 'a line to remember by; empty takes it away' },
    ],
    examples: ['laptop --expires never', 'laptop --name desktop', 'laptop --allow 127.0.0.1:22 --allow 127.0.0.1:80'],
    run: async (context) => {
      const { given, session, clock } = context;
      const params = editOf(context);
      if (Object.keys(params).length === 0) {
        throw usage('whitelist edit needs something to change', 'such as --name, --allow, --expires or --note');
      }
      const change = await session.call('whitelist.edit', {
        client: given.argument(0),
        ...params,
        isDryRun: given.isDryRun,
      });
      show(context, change, (result, out) => printChange(out, result, given.isDryRun, clock.unixTime()));
    },
  },
  {
    path: ['whitelist', 'remove'],
    isWrite: true,
    about: 'take a client off the list and close its tunnels',
    more: 'The whitelist stays on when its last entry goes: then nobody gets in by it.',
    arguments: [ENTRY],
    examples: ['laptop', '9F3A11C2 --dry-run'],
    run: async (context) => {
      const { given, session, clock } = context;
      const change = await session.call('whitelist.remove', { client: given.argument(0), isDryRun: given.isDryRun });
      show(context, change, (result, out) => printChange(out, result, given.isDryRun, clock.unixTime()));
    },
  },
  {
    path: ['whitelist', 'off'],
    isWrite: true,
    about: 'let the whitelist decide no longer',
    more: 'Entries that are left are removed, after a question. Without a secret, nobody gets in then.',
    options: [YES],
    examples: ['', '--yes'],
    run: async (context) => {
      const { given, session, clock } = context;
      const change = await withConfirmation(context, (isConfirmed) =>
        session.call('whitelist.off', { isConfirmed, isDryRun: given.isDryRun }),
      );
      show(context, change, (result, out) => printChange(out, result, given.isDryRun, clock.unixTime()));
    },
  },
];

const given1 = <K extends string>(key: K, value: string | undefined): { readonly [key in K]?: string } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: string });

function editOf({ given, clock }: Context) {
  const name = given.value('--name');
  const expires = given.value('--expires');
  const allow = given.values('--allow');
  if (name !== undefined && given.has('--no-name')) throw usage('--name and --no-name exclude each other');
  if (allow.includes('any') && allow.length > 1) throw usage('--allow any means all: leave the other targets out');
  return {
    ...(given.has('--no-name') ? { name: null } : given1('name', name)),
    ...(given.has('--allow') ? { allow: allow.includes('any') ? [] : [...allow] } : {}),
    ...(expires === undefined ? {} : { expiresAt: expires === 'never' ? null : parseExpiry(expires, clock) }),
    ...given1('note', given.value('--note')),
  };
}

const expiryText = (expiresAt: number | null, now: number): string =>
  expiresAt === null ? 'never' : `${dateText(expiresAt).slice(0, 10)} (${durationText((expiresAt - now) * 1000)})`;
