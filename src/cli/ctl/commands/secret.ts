/** `tuntoxctl secret`: the secret that clients share. */
import type { Result } from '../../../control/protocol.js';
import { countText, dateText, durationText } from '../../humanise.js';
import type { Output } from '../../output.js';
import { type Command, type Context, show } from '../command.js';
import { withConfirmation, YES } from '../confirm.js';
import { CtlError, usage } from '../ctl-error.js';
import type { Option } from '../description.js';
import { parseDuration } from '../values.js';

/** Of the tunnel protocol: bytes of a secret. */
const LONGEST_SECRET = 920;

const GRACE: Option = { name: '--grace', value: 'D', about: 'let the old one in for this long as well, as in 24h' };
const DROP: Option = { name: '--drop-sessions', about: 'close the tunnels of all who came by the old one' };

export const SECRET_COMMANDS: readonly Command[] = [
  {
    path: ['secret', 'status'],
    isDefault: true,
    about: 'show whether there is a secret, and since when',
    more: 'The secret itself cannot be shown: the daemon keeps only a hash of it.',
    examples: ['', '--json'],
    run: async (context) => {
      const status = await context.session.call('secret.status', {});
      show(context, status, (result, out) => printStatus(result, out, context.clock.unixTime()));
    },
  },
  {
    path: ['secret', 'set'],
    isWrite: true,
    about: 'set the secret to what comes on standard input',
    more: 'Never as an argument, which other users of the machine could see. On a terminal it is asked for, and not shown.',
    options: [{ name: '--stdin', about: 'read it from standard input, as it does anyway' }, GRACE, DROP, YES],
    examples: ['', '--grace 24h < secret.txt'],
    run: async (context) => {
      const { given, dialogue, session } = context;
      const when = transitionOf(context);
      const secret = await dialogue.readHidden('New secret (not shown): ', LONGEST_SECRET + 2);
      if (secret === '') throw usage('the secret is empty', 'tuntoxctl secret off takes it away');
      if (secret.includes('\n')) throw usage('the secret has more than one line', 'one line, at most 920 bytes');
      const change = await withConfirmation(context, (isConfirmed) =>
        session.call('secret.set', { secret, ...when, isConfirmed }),
      );
      show(context, change, (result, out) => printChange(result, out, given.isDryRun, 'the secret is set'));
    },
  },
  {
    path: ['secret', 'rotate'],
    isWrite: true,
    about: 'make a new secret, and show it this once',
    more: 'Open sessions stay, unless --drop-sessions; the old secret lets nobody in any more, unless --grace. If clients on the whitelist needed no secret so far, it asks before they do.',
    options: [GRACE, DROP, YES],
    examples: ['', '--grace 24h', '--drop-sessions'],
    run: async (context) => {
      const { given, session } = context;
      const when = transitionOf(context);
      const change = await withConfirmation(context, (isConfirmed) =>
        session.call('secret.rotate', { ...when, isConfirmed, isProposal: true }),
      );
      show(context, change, (result, out) => printChange(result, out, given.isDryRun, 'the secret is a new one'));
      if (change.secret === null) return;
      await inForce(context, change.secret, when);
    },
  },
  {
    path: ['secret', 'off'],
    isWrite: true,
    about: 'take the secret away',
    more: 'Without a whitelist nobody gets in then. It asks first if that shuts somebody out.',
    options: [YES],
    examples: ['', '--dry-run'],
    run: async (context) => {
      const { isDryRun } = context.given;
      const change = await withConfirmation(context, (isConfirmed) =>
        context.session.call('secret.off', { isConfirmed, isDryRun }),
      );
      show(context, change, (result, out) => printChange(result, out, isDryRun, 'there is no secret any more'));
    },
  },
];

/** A secret counts only once it was shown: there is no other time, and the one before would be lost, too. */
async function inForce(context: Context, secret: string, when: ReturnType<typeof transitionOf>): Promise<void> {
  await context.written().catch((error: Error) => {
    // Silent elsewhere; here somebody may believe that the secret is a new one.
    throw new CtlError('failed', `the new secret could not be shown, so nothing has changed: ${error.message}`, {
      hint: 'run it again with standard output on a terminal, or in a file on a disk that has room',
      cause: error,
    });
  });
  try {
    await context.session.call('secret.set', { secret, ...when, isConfirmed: true });
  } catch (error) {
    context.note(
      'the secret that was shown may not be in force: tuntoxctl secret status says when the secret was changed last',
    );
    throw error;
  }
}

function transitionOf({ given }: Context) {
  const grace = given.value('--grace');
  if (grace !== undefined && given.has('--drop-sessions')) {
    throw usage(
      '--grace and --drop-sessions exclude each other',
      'the first keeps the old secret, the second its sessions out',
    );
  }
  return {
    grace: grace === undefined ? 0 : parseDuration(grace, '--grace'),
    isDroppingSessions: given.has('--drop-sessions'),
    isDryRun: given.isDryRun,
  };
}

function printStatus(status: Result<'secret.status'>, out: Output, now: number): void {
  const { isSet, source, changedAt, oldValidUntil } = status;
  if (!isSet) {
    out.line('no secret');
    out.line('tuntoxctl secret rotate makes one', { indent: 2 });
    return;
  }
  const sources = {
    none: 'from nowhere',
    state: 'kept by the daemon as a hash',
    configuration: 'from the configuration: change it there',
    credential: 'from a credential of systemd: change it there',
  } as const;
  out.field('Secret', `set, ${sources[source]}`);
  if (changedAt !== null) {
    out.field('Changed', `${dateText(changedAt)} (${durationText((now - changedAt) * 1000)} ago)`);
  }
  if (oldValidUntil !== null && oldValidUntil > now) out.field('Old one', `lets in until ${dateText(oldValidUntil)}`);
}

function printChange(change: Result<'secret.set'>, out: Output, isDryRun: boolean, done: string): void {
  if (change.secret !== null) {
    out.line('the new secret, shown this once:');
    out.line();
    out.line(`  ${change.secret}`, { style: 'strong' });
    out.line();
  } else out.line(isDryRun ? `nothing has changed; without --dry-run: ${done}` : done, { indent: 2 });
  if (change.oldValidUntil !== null) out.line(`the old one lets in until ${dateText(change.oldValidUntil)}`);
  if (change.closedTunnels > 0) {
    out.line(`${isDryRun ? 'would close' : 'closed'}  ${countText(change.closedTunnels, 'tunnel')}`);
  }
  for (const note of change.notes) out.line(note, { indent: 2 });
}
