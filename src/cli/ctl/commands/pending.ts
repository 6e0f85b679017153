/** `tuntoxctl clients pending` and `approve`: clients that asked to be admitted and were refused. */
import { shortKey } from '../../../base/short-key.js';
import { ageText, countText } from '../../../base/units.js';
import type { Result } from '../../../control/protocol.js';
import type { Output } from '../../output.js';
import { type Command, show, withConfirmation, YES } from '../command.js';
import { elapsedSince, nameOf } from '../names.js';
import {
  ADOPT,
  ALLOW,
  ALLOW_REVERSE,
  EXPIRES,
  entryOf,
  MAX_TUNNELS,
  NAME,
  NOTE,
  printChange,
  RATE,
} from './whitelist.js';

type Pending = Result<'clients.pending'>['clients'][number];

/** The codes of refusals in words. One that only a later daemon knows is printed as it is, without hyphens. */
const REASONS: Readonly<Partial<Record<string, string>>> = {
  banned: 'it is banned',
  closed: 'the daemon admits no clients',
  'not-whitelisted': 'it is not on the whitelist',
  expired: 'its entry on the whitelist has expired',
  'no-secret': 'it sent no secret',
  'wrong-secret': 'it sent a wrong secret',
  'too-many-guesses': 'there were too many wrong secrets',
  'invitation-used': 'its invitation has admitted as many clients as it may',
  'invitation-expired': 'its invitation has expired',
  'invitation-revoked': 'its invitation was revoked',
  'not-saved': 'the disk did not take the redemption of its invitation',
  full: 'the daemon has its maximum number of clients',
};

export const PENDING_COMMANDS: readonly Command[] = [
  {
    path: ['clients', 'pending'],
    about: 'list the clients that asked to be admitted and were refused',
    more:
      'A refused client prints the same six words, so that you can compare them with its owner on the phone. ' +
      'A client is listed for 24 hours after its last request, until the daemon restarts.',
    examples: ['', '--json'],
    run: async (context) => {
      const list = await context.session.call('clients.pending', {});
      show(context, list, (result, out) => printPending(result, out, context.clock.unixTime()));
    },
  },
  {
    path: ['clients', 'approve'],
    isWrite: true,
    about: 'put a client that asked on the whitelist, which admits it at once',
    more:
      'Name it by the first digits of its key, or by all six words of its key. ' +
      'The whitelist is in force from its first entry; if that would disconnect clients that used only the secret, it names them and asks first.',
    arguments: [{ name: 'CLIENT', isRepeatable: true, completes: 'pending' }],
    options: [NAME, ALLOW, ALLOW_REVERSE, RATE, MAX_TUNNELS, EXPIRES, NOTE, YES, ADOPT],
    examples: [
      '9F3A11C2 --name laptop',
      'canal brave ivory mango slim zebra --name laptop',
      '9F3A11C2 --allow 127.0.0.1:22 --expires 30d',
    ],
    run: async (context) => {
      const { given, session, clock } = context;
      const { dryRun } = given;
      const params = {
        client: given.arguments.join(' '),
        ...entryOf(context),
        adopt: given.has(ADOPT.name),
        dryRun,
      };
      const approved = await withConfirmation(context, (confirmed) =>
        session.call('clients.approve', { ...params, confirmed }),
      );
      show(context, approved, ({ client, words, admitted, change }, out) => {
        printChange(out, change, dryRun, clock.unixTime());
        const state = dryRun ? 'asked' : admitted ? 'is admitted' : 'is not admitted yet';
        out.line(`${nameOf(client)} ${state}  (${words})`, { indent: 2 });
      });
    },
  },
];

function printPending({ clients }: Result<'clients.pending'>, out: Output, now: number): void {
  if (clients.length === 0) {
    out.line('no client is pending: none was refused within 24 hours, or since the daemon started');
    return;
  }
  for (const client of clients) printOne(client, out, now);
  const words = clients.at(-1)?.words ?? '';
  out.line();
  // Not its first digits, which somebody else's key may have too.
  out.line(`to approve one, compare its words with its owner, then: tuntoxctl clients approve ${words} --name NAME`, {
    indent: 2,
  });
}

function printOne({ client, words, firstAt, lastAt, requests, reason, via }: Pending, out: Output, now: number): void {
  const ago = (time: string): string => ageText(elapsedSince(time, now));
  out.line(`${nameOf(client)}  ${words}`, { style: 'strong', indent: 2 });
  const since = requests === 1 ? '' : `, ${countText(requests, 'request')} in ${ago(firstAt)}`;
  out.line(`  ${ago(lastAt)} ago: ${REASONS[reason] ?? reason.replaceAll('-', ' ')}${since}`, { indent: 4 });
  out.line(`  came ${viaText(via)}`, { indent: 4 });
}

function viaText(via: Pending['via']): string {
  switch (via.kind) {
    case 'node':
      return `by the node ${via.address}${via.local ? ' in the local network' : ''}`;
    case 'relay':
      return `by the relay ${shortKey(via.publicKey)}`;
    case 'other':
      return 'by a node that is not known';
  }
}
