/** `tuntoxctl secret`: the shared secret of the clients. */

import { countText, durationText } from '../../../base/units.js';
import { ControlError } from '../../../control/control-error.js';
import type { Result } from '../../../control/protocol.js';
import type { Output } from '../../output.js';
import type { Option } from '../arguments.js';
import { type Command, type Context, show, withConfirmation, YES } from '../command.js';
import { CtlError, usage } from '../ctl-error.js';
import { elapsedSince, timeText } from '../names.js';
import { durationValue } from '../values.js';

/** Tunnel protocol: bytes of a secret. */
const MAX_SECRET_LENGTH = 920;

const GRACE: Option = {
  name: '--grace',
  value: 'TIME',
  about: 'also accept the old secret for this long, such as 24h',
};
const DROP: Option = { name: '--drop-sessions', about: 'disconnect the clients that used the old secret' };

export const SECRET_COMMANDS: readonly Command[] = [
  {
    path: ['secret', 'status'],
    isDefault: true,
    about: 'show whether a secret is set, and since when',
    more: 'The secret itself cannot be shown: the daemon stores only a hash of it.',
    examples: ['', '--json'],
    run: async (context) => {
      const status = await context.session.call('secret.status', {});
      show(context, status, (result, out) => printStatus(result, out, context.clock.unixTime()));
    },
  },
  {
    path: ['secret', 'set'],
    isWrite: true,
    about: 'set the secret to a line from standard input',
    more: 'It is never an argument, which other users could see in the process list. On a terminal you are prompted for it, without echo.',
    options: [{ name: '--stdin', about: 'read it from standard input (the default)' }, GRACE, DROP, YES],
    examples: ['', '--grace 24h < secret.txt'],
    run: async (context) => {
      const { given, dialogue, session } = context;
      const when = transitionOf(context);
      // Nobody types a secret for a daemon that does not run.
      await session.daemon();
      const secret = await dialogue.readHidden('New secret (not echoed): ', MAX_SECRET_LENGTH + 2);
      if (secret === '') throw usage('the secret is empty', 'to remove the secret: tuntoxctl secret off');
      if (secret.includes('\n'))
        throw usage('the secret has more than one line', `use one line of at most ${MAX_SECRET_LENGTH} bytes`);
      const change = await withConfirmation(context, (confirmed) =>
        session.call('secret.set', { secret, ...when, confirmed }),
      );
      show(context, change, (result, out) => printChange(result, out, given.dryRun, 'set'));
    },
  },
  {
    path: ['secret', 'rotate'],
    isWrite: true,
    about: 'generate a new secret and show it once',
    more: 'Connected clients stay connected unless --drop-sessions is given. The old secret stops working unless --grace is given. If the whitelist alone was enough so far, it asks first.',
    options: [GRACE, DROP, YES],
    examples: ['', '--grace 24h', '--drop-sessions'],
    run: async (context) => {
      const { given, session } = context;
      const when = transitionOf(context);
      const change = await withConfirmation(context, (confirmed) =>
        session.call('secret.rotate', { ...when, confirmed, proposal: true }),
      );
      show(context, change, (result, out) => printChange(result, out, given.dryRun, 'replaced'));
      if (change.secret === null) return;
      await inForce(context, change.secret, when);
    },
  },
  {
    path: ['secret', 'off'],
    isWrite: true,
    about: 'remove the secret',
    more: 'Without a whitelist, no client is admitted afterwards. If that would disconnect clients, it asks first.',
    options: [YES],
    examples: ['', '--dry-run'],
    run: async (context) => {
      const { dryRun } = context.given;
      const change = await withConfirmation(context, (confirmed) =>
        context.session.call('secret.off', { confirmed, dryRun }),
      );
      show(context, change, (result, out) => printChange(result, out, dryRun, 'removed'));
    },
  },
];

/** Puts a generated secret into force. It must have been shown first: it cannot be shown again, and it replaces the one before. */
async function inForce(context: Context, secret: string, when: ReturnType<typeof transitionOf>): Promise<void> {
  await context.written().catch((error: Error) => {
    // Other commands are silent about a closed output. Here its user must learn that the secret did not change.
    throw new CtlError('failed', `the new secret could not be shown, so nothing has changed: ${error.message}`, {
      hint: 'run it again with standard output on a terminal, or in a file on a disk with free space',
      cause: error,
    });
  });
  try {
    await context.session.call('secret.set', { secret, ...when, confirmed: true });
  } catch (error) {
    const isUnsaved = error instanceof ControlError && error.code === 'not-saved';
    context.note(
      isUnsaved
        ? 'the secret shown above is not in force'
        : 'the secret shown above may not be in force; to see when it last changed: tuntoxctl secret status',
    );
    throw error;
  }
}

function transitionOf({ given }: Context) {
  const grace = given.value('--grace');
  if (grace !== undefined && given.has('--drop-sessions')) {
    throw usage(
      '--grace and --drop-sessions cannot be used together',
      '--grace keeps the old secret valid, --drop-sessions disconnects the clients that used it',
    );
  }
  return {
    graceMs: grace === undefined ? 0 : durationValue(grace, '--grace'),
    dropSessions: given.has('--drop-sessions'),
    dryRun: given.dryRun,
  };
}

function printStatus(status: Result<'secret.status'>, out: Output, now: number): void {
  const { set, source, changedAt, previousValidUntil } = status;
  if (!set) {
    out.line('no secret');
    out.line('to generate one: tuntoxctl secret rotate', { indent: 2 });
    return;
  }
  const sources = {
    none: 'from no source',
    state: 'stored by the daemon as a hash',
    configuration: 'from access.secret_file (change it there)',
    credential: 'from a systemd credential (change it there)',
  } as const;
  out.field('Secret', `set, ${sources[source]}`);
  if (changedAt !== null) {
    out.field('Changed', `${timeText(changedAt)} (${durationText(elapsedSince(changedAt, now))} ago)`);
  }
  if (previousValidUntil !== null && elapsedSince(previousValidUntil, now) < 0)
    out.field('Previous', `secret valid until ${timeText(previousValidUntil)}`);
}

function printChange(change: Result<'secret.set'>, out: Output, dryRun: boolean, done: string): void {
  if (change.secret !== null) {
    out.line('new secret (shown only once):');
    out.line();
    out.line(`  ${change.secret}`, { style: 'strong' });
    out.line();
  } else if (change.changed) out.line(dryRun ? `the secret would be ${done}` : `secret ${done}`);
  if (change.previousValidUntil !== null)
    out.line(`the previous secret ${dryRun ? 'would be' : 'is'} valid until ${timeText(change.previousValidUntil)}`);
  if (change.closedTunnels > 0) {
    out.line(`${dryRun ? 'would close' : 'closed'}  ${countText(change.closedTunnels, 'tunnel')}`);
  }
  for (const note of change.notes) out.line(note, { indent: 2 });
}
