/** `tuntoxctl status`: the health and state of the daemon. */

import { bytesText, countText, durationText } from '../../../base/units.js';
import { ControlError } from '../../../control/control-error.js';
import type { Result } from '../../../control/protocol.js';
import type { Output } from '../../output.js';
import { type Command, type Context, show } from '../command.js';
import { CtlError, ExitStatus } from '../ctl-error.js';
import { elapsedSince, shortId } from '../names.js';
import { durationValue } from '../values.js';

type Status = Result<'status'>;

/** ms that --wait waits unless it has a value. */
const DEFAULT_WAIT = 30_000;
/** ms between two polls. */
const POLL_INTERVAL = 500;

/** Refusal reasons whose code does not read well with its hyphens replaced. */
const REFUSED: Readonly<Partial<Record<string, string>>> = {
  closed: 'while closed',
  full: 'server full',
  'wrong-secret': 'wrong secret',
};

export const STATUS_COMMANDS: readonly Command[] = [
  {
    path: ['status'],
    about: 'show the health and state of the daemon',
    more: 'Exits with 6 if something needs attention; each warning says what to do. With --wait it waits until the daemon is healthy, even if it is still starting.',
    options: [
      {
        name: '--wait',
        value: 'TIME',
        isValueOptional: true,
        about: 'wait until the daemon is healthy, for at most TIME (default 30s)',
      },
    ],
    examples: ['', '--wait=2m', '--json'],
    run: async (context) => {
      const { given, clock } = context;
      const status = given.has('--wait')
        ? await healthyStatus(context, durationValue(given.value('--wait') ?? `${DEFAULT_WAIT}ms`, '--wait'))
        : await context.session.call('status', {});
      show(context, status, (result, out) => printStatus(result, out, clock.unixTime()));
      return status.health === 'ok' ? ExitStatus.Ok : ExitStatus.Degraded;
    },
  },
];

/** Returns the first healthy status, or the last one before the time is over. @throws CtlError when there was none */
async function healthyStatus({ clock, session, signal }: Context, wait: number): Promise<Status> {
  const end = clock.now() + wait;
  for (;;) {
    try {
      const status = await session.call('status', {});
      if (status.health === 'ok' || clock.now() + POLL_INTERVAL >= end) return status;
    } catch (error) {
      if (!isRestarting(error) || clock.now() + POLL_INTERVAL >= end) throw error;
      // The next request goes to the daemon's next process.
      session.close();
    }
    if (signal.aborted) throw new CtlError('failed', 'interrupted');
    await new Promise<void>((resolve) => {
      clock.after(POLL_INTERVAL, resolve);
    });
  }
}

/** Whether the daemon has not started yet, or is being restarted. */
const isRestarting = (error: unknown): boolean =>
  error instanceof CtlError
    ? error.code === 'not-running'
    : error instanceof ControlError && ['stopping', 'busy'].includes(error.code);

function printStatus(status: Status, out: Output, now: number): void {
  const { daemon, identity, network, access, sessions, refusals } = status;
  const health = status.health === 'ok' ? '' : ', degraded';
  const uptime = `up ${durationText(daemon.uptimeMs)}, pid ${daemon.pid}`;
  out.line(`tuntoxd ${daemon.version}   ${daemon.state}${health}, ${uptime}`, { style: health ? 'warning' : 'plain' });
  printWarnings(status, out);
  out.line();
  const id = out.isTerminal ? shortId(identity.toxId) : identity.toxId;
  out.field('Identity', `${id}   ${identity.path}   (tuntoxctl id --qr)`);
  out.field(
    'Network',
    `${network.state}, ${udpText(network.udp)}${socketText(network)}, for ${durationText(elapsedSince(network.since, now))}`,
  );
  const isAlarm = access.closed || access.open;
  out.field('Access', accessText(status, now), { style: isAlarm ? 'alarm' : 'plain' });
  out.field('Targets', targetsText(access.targets));
  const bytes = `rx ${bytesText(sessions.bytesReceived)}   tx ${bytesText(sessions.bytesSent)}`;
  out.field(
    'Sessions',
    `${countText(sessions.clients, 'client')}, ${countText(sessions.tunnels, 'tunnel')}   ${bytes}`,
  );
  out.field('Refused', refusedText(refusals));
  // A daemon of an earlier version does not say.
  const { pending = 0 } = refusals;
  if (pending > 0)
    out.field('Pending', `${countText(pending, 'client')} that can be approved (tuntoxctl clients pending)`);
  const { relayPort, relayClients, bytesRelayed } = network;
  if (relayPort === null) return;
  const use = `${countText(relayClients, 'peer')}, ${bytesText(bytesRelayed)}`;
  out.field('Relay', `for others on TCP ${relayPort}: ${use} (off: network.relay_port 0)`);
}

function printWarnings({ warnings }: Status, out: Output): void {
  const texts = warnings.map(({ message, hint }) => (hint === null ? message : `${message} (${hint})`));
  const [only] = texts;
  const style = 'warning';
  if (texts.length === 1) out.line(`! 1 warning: ${only}`, { style, indent: 2 });
  if (texts.length <= 1) return;
  out.line(`! ${texts.length} warnings:`, { style });
  for (const text of texts) out.line(`  - ${text}`, { style, indent: 4 });
}

export function udpText(udp: Status['network']['udp']): string {
  switch (udp) {
    case 'works':
      return 'UDP';
    case 'blocked':
      return 'TCP relays only (UDP is blocked)';
    case 'off':
      return 'TCP relays only (UDP is off)';
    case 'unknown':
      return 'trying UDP';
  }
}

/** Names the kind of socket, which decides how fast UDP can be. */
function socketText({ udp, udpSocket }: Status['network']): string {
  return udp === 'works' && udpSocket !== null ? ` (${udpSocket} socket)` : '';
}

function accessText({ access }: Status, now: number): string {
  // A daemon of an earlier version does not say.
  const { secret, whitelist, invitations = 0 } = access;
  if (access.open) return 'OPEN: every client that knows the Tox ID is admitted (access.open)';
  const ago = secret.changedAt === null ? '' : ` (rotated ${durationText(elapsedSince(secret.changedAt, now))} ago)`;
  const left = secret.previousValidUntil === null ? 0 : -elapsedSince(secret.previousValidUntil, now);
  const previous = left > 0 ? `, the previous one valid for ${durationText(left)}` : '';
  const expired = whitelist.expired === 0 ? '' : ` (${whitelist.expired} expired)`;
  const invited = whitelist.entries === 0 ? '' : ` (${whitelist.entries} invited)`;
  const list = whitelist.enabled ? `${countText(whitelist.entries, 'client')}${expired}` : `off${invited}`;
  const first = secret.set ? `secret set${ago}${previous}` : 'no secret';
  // access.require: a client needs all factors, or any one of them.
  const joint = secret.set && whitelist.enabled ? (access.require === 'all' ? ' and' : ' or') : ',';
  const parts = [
    ...(access.closed ? ['CLOSED: no client is admitted'] : []),
    `${first}${joint} whitelist ${list}`,
    ...(invitations === 0 ? [] : [countText(invitations, 'open invitation')]),
    'open: no',
  ];
  return parts.join(', ');
}

function refusedText({ last24Hours, banned }: Status['refusals']): string {
  const reasons = Object.entries(last24Hours).filter(([, count]) => count > 0);
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  const why = reasons.map(([reason, count]) => `${count} ${REFUSED[reason] ?? reason.replaceAll('-', ' ')}`).join(', ');
  return `${total} in 24 h${why === '' ? '' : ` (${why})`}, ${banned} banned`;
}

function targetsText(targets: string): string {
  switch (targets) {
    case 'any':
      return 'any (to restrict them: tuntoxctl expose NAME TARGET)';
    case 'services':
      return 'the services (to list them: tuntoxctl services list)';
    default:
      return `those in ${targets}, and the services`;
  }
}
