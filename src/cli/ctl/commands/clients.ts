/** `tuntoxctl clients`: the clients that were admitted. */

import { ageText, bytesText, durationText, roundTripText } from '../../../base/units.js';
import type { Result } from '../../../control/protocol.js';
import type { Output } from '../../output.js';
import type { Argument, Option } from '../arguments.js';
import { type Command, show } from '../command.js';
import { Footnotes, printClosed, printConnections, reasonText } from '../connection-table.js';
import { usage } from '../ctl-error.js';
import { allowText, elapsedSince, NAME_COLUMNS, nameCells, nameOf, timeText } from '../names.js';
import { durationValue } from '../values.js';
import { limitsText } from './whitelist.js';

const CLIENT: Argument = { name: 'CLIENT', completes: 'client' };
const FOR: Option = { name: '--for', value: 'TIME', about: 'also ban it for this long, such as 1h' };

const COLUMNS = [
  ...NAME_COLUMNS,
  { heading: 'STATE' },
  { heading: 'ADMITTED BY' },
  { heading: 'VIA' },
  { heading: 'RTT' },
  { heading: 'IN' },
  { heading: 'OUT' },
  { heading: 'TUNNELS' },
];
/** Only where clients have one. */
const LOOPBACK_COLUMN = { heading: 'LOOPBACK' };

export const CLIENT_COMMANDS: readonly Command[] = [
  {
    path: ['clients', 'list'],
    isDefault: true,
    about: 'list the clients that were admitted',
    examples: ['', '--json'],
    run: async (context) => {
      const list = await context.session.call('clients.list', {});
      show(context, list, (result, out) => printClients(result, out, context.clock.unixTime()));
    },
  },
  {
    path: ['clients', 'show'],
    about: 'show everything known about one client',
    arguments: [CLIENT],
    examples: ['laptop', '9F3A11C2'],
    run: async (context) => {
      const shown = await context.session.call('clients.show', { client: context.given.argument(0) });
      show(context, shown, (result, out) => printClient(result, out, context.clock.unixTime()));
    },
  },
  {
    path: ['clients', 'kick'],
    isWrite: true,
    about: 'disconnect a client and close its tunnels',
    more:
      'A client that is still admitted can reconnect; whitelist remove prevents that. ' +
      'With --for, its key is also banned, whether or not it is connected: until the time is over, bans clear, or a restart of the daemon. ' +
      'The ban is held in memory, so it works even if the disk is full or read-only.',
    arguments: [CLIENT],
    options: [FOR],
    examples: ['laptop', 'laptop --for 1h', 'laptop --dry-run'],
    run: async (context) => {
      const { given, session } = context;
      const { dryRun } = given;
      const client = given.argument(0);
      const time = given.value('--for');
      const ban = time === undefined ? {} : { banForMs: positive(durationValue(time, '--for')) };
      const result = await session.call('clients.kick', { client, ...ban, dryRun });
      show(context, result, (kicked, out) => printKicked(kicked, out, dryRun));
    },
  },
];

/** @throws CtlError */
function positive(duration: number): number {
  if (duration > 0) return duration;
  throw usage('--for must be longer than 0', 'example: --for 1h; to lift a ban: tuntoxctl bans clear');
}

function printKicked(kicked: Result<'clients.kick'>, out: Output, dryRun: boolean): void {
  const { client, wasConnected, closed, bannedUntil, notes } = kicked;
  if (closed.length > 0) printClosed(out, closed, dryRun);
  if (wasConnected) out.line(`${dryRun ? 'would disconnect' : 'disconnected'}  ${nameOf(client)}`);
  if (bannedUntil !== null) {
    const verb = dryRun ? 'would ban' : 'banned';
    out.line(`${verb}  ${nameOf(client)}  until ${timeText(bannedUntil)}, or until the daemon restarts`, {
      indent: verb.length + 2,
    });
  }
  for (const note of notes) out.line(note, { indent: 2 });
}

function printClients({ clients }: Result<'clients.list'>, out: Output, now: number): void {
  if (clients.length === 0) {
    out.line('no clients');
    return;
  }
  const notes = new Footnotes();
  const hasAddresses = clients.some(({ loopbackAddress }) => loopbackAddress !== null);
  out.table(
    hasAddresses ? [...COLUMNS, LOOPBACK_COLUMN] : COLUMNS,
    clients.map((one) => [
      ...nameCells(one.client),
      `${one.online ? 'online' : 'offline'} ${ageText(elapsedSince(one.since, now))}`,
      one.admittedBy === 'secret-and-whitelist' ? 'both' : one.admittedBy,
      one.online ? notes.via(one.path) : '-',
      roundTripText(one.roundTripMs),
      bytesText(one.bytesReceived),
      bytesText(one.bytesSent),
      String(one.tunnels),
      ...(hasAddresses ? [one.loopbackAddress ?? '-'] : []),
    ]),
  );
  notes.print(out);
}

function printClient(
  { client, allow, allowReverse, expiresAt, connections, ...limits }: Result<'clients.show'>,
  out: Output,
  now: number,
): void {
  const { path } = client;
  out.field('Client', client.client.name ?? '(no name)');
  out.field('Key', client.client.publicKey.toUpperCase());
  out.field('State', `${client.online ? 'online' : 'offline'} for ${durationText(elapsedSince(client.since, now))}`);
  out.field('Admitted', `by ${client.admittedBy.replaceAll('-', ' ')}, ${timeText(client.admittedAt)}`);
  if (allow !== null) out.field('Targets', allow.length === 0 ? 'those that the rules allow' : allowText(allow));
  if (allowReverse.length > 0) out.field('May open', `${allowReverse.join(' ')} (tuntox -R)`);
  const limited = limitsText(limits);
  if (allow !== null) out.field('Limits', limited === '' ? 'none of its own' : limited);
  if (allow !== null) out.field('Expires', expiresAt === null ? 'never' : timeText(expiresAt));
  const { loopbackAddress } = client;
  if (loopbackAddress !== null)
    out.field('Loopback', `${loopbackAddress}, by which programs of the daemon's machine know it`);
  const via = { none: 'none', direct: 'direct', relayed: 'relayed' }[path.kind];
  const address = 'address' in path && path.address !== null ? ` ${path.address}` : '';
  const reason = reasonText(path);
  out.field(
    'Path',
    `${via}${address}${reason === '' ? '' : ` (${reason})`}, for ${durationText(elapsedSince(path.since, now))}`,
  );
  out.field('Round trip', roundTripText(client.roundTripMs));
  out.field('In', `${bytesText(client.bytesReceived)}, now ${bytesText(client.bytesReceivedPerSecond)}/s`);
  out.field('Out', `${bytesText(client.bytesSent)}, now ${bytesText(client.bytesSentPerSecond)}/s`);
  const { lastError } = client;
  if (lastError !== null) {
    out.field('Last error', `${durationText(elapsedSince(lastError.at, now))} ago: ${lastError.message}`, {
      style: 'warning',
    });
  }
  out.field('Tunnels', String(connections.length));
  if (connections.length === 0) return;
  out.line();
  printConnections(out, connections);
}
