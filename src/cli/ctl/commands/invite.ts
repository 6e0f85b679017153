/** `tuntoxctl invite`: links that admit a client without a secret and without its Tox ID. */
import { ageText, countText, durationText } from '../../../base/units.js';
import type { Result } from '../../../control/protocol.js';
import type { Output } from '../../output.js';
import { qrLines } from '../../qr.js';
import type { Option } from '../arguments.js';
import { type Command, type Context, show } from '../command.js';
import { CtlError, usage } from '../ctl-error.js';
import { allowText, elapsedSince, nameOf, timeText } from '../names.js';
import { countValue, durationValue, expiryValue } from '../values.js';
import { ALLOW, ALLOW_REVERSE, limitsText, MAX_TUNNELS, NAME, newLimitsOf, RATE } from './whitelist.js';

type Created = Result<'invite.create'>;
type Revoked = Result<'invite.revoke'>;
type Invitation = Created['invitation'];

const MAX_USES = 100;
/** ms */
const MIN_ACCESS = 1_000;

const EXPIRES: Option = {
  name: '--expires',
  value: 'TIME',
  about: 'when the link ends: 10m, 12h, 2027-01-31 (default 1h)',
};
const INVITATION = { name: 'INVITATION', completes: 'invitation' } as const;

export const INVITE_COMMANDS: readonly Command[] = [
  {
    path: ['invite', 'create'],
    isWrite: true,
    about: 'make a link that admits a client',
    more:
      'The first client that uses the link is put on the whitelist, and needs no secret from then on. It has the name and the targets ' +
      'of the invitation. The link is printed once, also in words that can be read aloud; the daemon stores only a hash of its secret.',
    options: [
      NAME,
      ALLOW,
      ALLOW_REVERSE,
      RATE,
      MAX_TUNNELS,
      EXPIRES,
      { name: '--uses', value: 'N', about: 'admit N clients instead of one; the second is called NAME-2' },
      {
        name: '--access',
        value: 'TIME',
        about: 'how long a client has access: 30d, 12h (default: until it is removed)',
      },
      { name: '--qr', about: 'print the link as a QR code, too' },
    ],
    examples: ['--name laptop', '--allow 127.0.0.1:22 --expires 10m --access 30d', '--uses 5 --qr'],
    run: async (context) => {
      const { given, session } = context;
      const created = await session.call('invite.create', paramsOf(context));
      const { link } = created;
      const code = link !== null && given.has('--qr') ? await qrLines(link.link, context.out.hasColour) : [];
      show(context, created, (_, out) => printCreated(created, code, out, context.clock.unixTime()));
      if (link !== null) await revokeUnlessShown(context, created);
    },
  },
  {
    path: ['invite', 'list'],
    isDefault: true,
    about: 'list the invitations and the clients that used them',
    more: 'Invitations that have ended are listed for a week.',
    examples: ['', '--json'],
    run: async (context) => {
      const list = await context.session.call('invite.list', {});
      show(context, list, ({ invitations }, out) => {
        for (const invitation of invitations) printInvitation(invitation, out, context.clock.unixTime());
        if (invitations.length > 0) return;
        out.line('there are no invitations');
        out.line('to invite a client: tuntoxctl invite create', { indent: 2 });
      });
    },
  },
  {
    path: ['invite', 'revoke'],
    isWrite: true,
    about: 'revoke an invitation, so that its link admits nobody',
    more: 'Clients that came by it stay on the whitelist, unless --remove-clients is given.',
    arguments: [INVITATION],
    options: [{ name: '--remove-clients', about: 'also remove the clients that came by it, and close their tunnels' }],
    examples: ['laptop', 'laptop --remove-clients'],
    run: async (context) => {
      const { given, session } = context;
      const revoked = await session.call('invite.revoke', {
        invitation: given.argument(0),
        removeClients: given.has('--remove-clients'),
        dryRun: given.dryRun,
      });
      show(context, revoked, (_, out) => printRevoked(revoked, out, given.dryRun));
    },
  },
];

/** A link that nobody saw would stay open. */
async function revokeUnlessShown({ session, written }: Context, { invitation }: Created): Promise<void> {
  await written().catch(async (error: Error) => {
    const { id } = invitation;
    await session.call('invite.revoke', { invitation: id });
    throw new CtlError('failed', `the link could not be shown, so it was revoked (${id}): ${error.message}`, {
      hint: 'run it again with standard output on a terminal, or in a file on a disk with free space',
      cause: error,
    });
  });
}

function paramsOf({ given, clock }: Context) {
  const [name, expires] = [given.value('--name'), given.value('--expires')];
  const [uses, access] = [given.value('--uses'), given.value('--access')];
  const accessMs = access === undefined ? undefined : durationValue(access, '--access');
  if (accessMs !== undefined && accessMs < MIN_ACCESS)
    throw usage(`"${access}" is too short for --access`, 'use 1s or more');
  const count = uses === undefined ? undefined : countValue(uses, '--uses', MAX_USES);
  if (count === 0) throw usage('an invitation without uses admits no client', 'use a number from 1');
  return {
    ...(name === undefined ? {} : { name }),
    ...(given.has('--allow') ? { allow: [...given.values('--allow')] } : {}),
    ...(given.has('--allow-reverse') ? { allowReverse: [...given.values('--allow-reverse')] } : {}),
    ...newLimitsOf(given),
    ...(expires === undefined ? {} : { expiresAt: expiryValue(expires, clock) }),
    ...(count === undefined ? {} : { uses: count }),
    ...(accessMs === undefined ? {} : { accessMs }),
    dryRun: given.dryRun,
  };
}

/** The lines to copy are not wrapped: a terminal copies its own line ends away, but not ours. */
function printCreated({ invitation, link, notes }: Created, code: readonly string[], out: Output, now: number): void {
  const ends = `${timeText(invitation.expiresAt)} (${durationText(-elapsedSince(invitation.expiresAt, now))})`;
  const offer = `${offerOf(invitation)}; the link ends ${ends}`;
  out.line(link === null ? `this would make an invitation: ${offer}` : `invitation ${titleOf(invitation)}: ${offer}`, {
    indent: 2,
  });
  for (const note of notes) out.line(note, { indent: 2 });
  if (link === null) return;
  out.raw(`\nThe other side runs this once:\n\n  ${link.commands.join}\n`);
  if (link.words.length > 0) out.raw(`\nor, on the phone: ${link.commands.words}, and then these words:\n\n`);
  for (const [index, line] of link.words.entries()) out.raw(`  ${index + 1}  ${line}\n`);
  out.raw(`\nor, for one run of the original tuntox:\n\n  ${link.commands.original}\n`);
  if (code.length > 0) out.raw(`\n${code.join('\n')}\n`);
  out.line();
  out.line('This is shown only once. To see who came: tuntoxctl invite list');
}

function printInvitation(invitation: Invitation, out: Output, now: number): void {
  const ago = (time: string): string => ageText(elapsedSince(time, now));
  const { state, expiresAt, redeemed, late: tooLate } = invitation;
  const left = state === 'open' ? `, ${durationText(-elapsedSince(expiresAt, now))} left` : '';
  out.line(`${titleOf(invitation)}  ${state}${left}`, { style: state === 'open' ? 'strong' : 'plain', indent: 2 });
  out.line(`  ${offerOf(invitation)}`, { indent: 4 });
  for (const { client, at, listed } of redeemed) {
    out.line(`  ${ago(at)} ago: ${nameOf(client)}${listed ? '' : ', removed since'}`, { indent: 4 });
  }
  for (const { client, at, state: then } of tooLate) {
    out.line(`  ${ago(at)} ago, too late (${then}): ${nameOf(client)}`, { style: 'warning', indent: 4 });
  }
}

function printRevoked({ invitation, removed, closedTunnels, notes }: Revoked, out: Output, dryRun: boolean): void {
  const would = dryRun ? 'would be ' : '';
  out.line(`${would}revoked  ${titleOf(invitation)}`);
  for (const client of removed) out.line(`${would}removed  ${nameOf(client)}`);
  if (closedTunnels > 0) out.line(`${dryRun ? 'would close' : 'closed'}  ${countText(closedTunnels, 'tunnel')}`);
  for (const note of notes) out.line(note, { indent: 2 });
}

const titleOf = ({ id, name }: Invitation): string => (name === null ? id : `${name} ${id}`);

function offerOf({ allow, allowReverse, uses, redeemed, accessMs, ...limits }: Invitation): string {
  const came = redeemed.length === 0 ? '' : ` (${redeemed.length} came)`;
  const time = accessMs === null ? '' : `, for ${durationText(accessMs)}${uses === 1 ? '' : ' each'}`;
  const limited = limitsText(limits);
  const most = limited === '' ? '' : `, at most ${limited}${uses === 1 ? '' : ' each'}`;
  const ports = allowReverse.length === 0 ? '' : `, lets it open ${allowReverse.join(' ')} here`;
  const targets = allow.length === 0 ? 'any target' : allowText(allow);
  return `admits ${countText(uses, 'client')}${came} to ${targets}${ports}${time}${most}`;
}
