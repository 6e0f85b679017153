/** `tuntoxctl clients`: who is here. */
import type { Result } from '../../../control/protocol.js';
import { ageText, bytesText, dateText, durationText, roundTripText } from '../../humanise.js';
import type { Output } from '../../output.js';
import { type Command, show } from '../command.js';
import { printClosed, printConnections } from '../connection-table.js';
import type { Argument } from '../description.js';
import { allowText, NAME_COLUMNS, nameCells } from '../names.js';
import { Footnotes, reasonText } from '../via.js';

const CLIENT: Argument = { name: 'CLIENT', completes: 'client' };

const COLUMNS = [
  ...NAME_COLUMNS,
  { heading: 'STATE' },
  { heading: 'LET IN BY' },
  { heading: 'VIA' },
  { heading: 'RTT' },
  { heading: 'IN' },
  { heading: 'OUT' },
  { heading: 'TUNNELS' },
];

export const CLIENT_COMMANDS: readonly Command[] = [
  {
    path: ['clients', 'list'],
    isDefault: true,
    about: 'list the clients that were let in',
    examples: ['', '--json'],
    run: async (context) => {
      const list = await context.session.call('clients.list', {});
      show(context, list, (result, out) => printClients(result, out, context.clock.unixTime()));
    },
  },
  {
    path: ['clients', 'show'],
    about: 'show all that is known of one client',
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
    about: 'close all tunnels of a client and its session',
    more: 'It may come back if it is still let in: whitelist remove shuts it out.',
    arguments: [CLIENT],
    examples: ['laptop', 'laptop --dry-run'],
    run: async (context) => {
      const { isDryRun } = context.given;
      const result = await context.session.call('clients.kick', { client: context.given.argument(0), isDryRun });
      show(context, result, ({ closed }, out) => {
        if (closed.length > 0) printClosed(out, closed, isDryRun);
        out.line(`${isDryRun ? 'would end' : 'ended'} the session of ${context.given.argument(0)}`);
      });
    },
  },
];

function printClients({ clients }: Result<'clients.list'>, out: Output, now: number): void {
  if (clients.length === 0) {
    out.line('no clients');
    return;
  }
  const notes = new Footnotes();
  out.table(
    COLUMNS,
    clients.map((one) => [
      ...nameCells(one.client),
      `${one.isOnline ? 'online' : 'away'} ${ageText((now - one.since) * 1000)}`,
      one.admittedBy === 'secret and whitelist' ? 'both' : one.admittedBy,
      one.isOnline ? notes.via(one.path) : '-',
      roundTripText(one.roundTrip),
      bytesText(one.bytesReceived),
      bytesText(one.bytesSent),
      String(one.tunnels),
    ]),
  );
  notes.print(out);
}

function printClient(
  { client, allow, expiresAt, connections }: Result<'clients.show'>,
  out: Output,
  now: number,
): void {
  const { path } = client;
  out.field('Client', client.client.alias ?? '(no name)');
  out.field('Key', client.client.publicKey.toUpperCase());
  out.field('State', `${client.isOnline ? 'online' : 'away'} since ${durationText((now - client.since) * 1000)}`);
  out.field('Let in', `by ${client.admittedBy}, ${dateText(client.admittedAt)}`);
  if (allow !== null) out.field('Reaches', allow.length === 0 ? 'what the rules allow' : allowText(allow));
  if (allow !== null) out.field('Expires', expiresAt === null ? 'never' : dateText(expiresAt));
  const via = { none: 'none', direct: 'direct', relayed: 'relayed' }[path.kind];
  const address = 'address' in path && path.address !== null ? ` ${path.address}` : '';
  const reason = reasonText(path);
  out.field(
    'Way',
    `${via}${address}${reason === '' ? '' : ` (${reason})`}, since ${durationText((now - path.since) * 1000)}`,
  );
  out.field('Round trip', roundTripText(client.roundTrip));
  out.field('In', `${bytesText(client.bytesReceived)}, now ${bytesText(client.rateReceived)}/s`);
  out.field('Out', `${bytesText(client.bytesSent)}, now ${bytesText(client.rateSent)}/s`);
  const { lastError } = client;
  if (lastError !== null) {
    out.field('Last error', `${durationText((now - lastError.at) * 1000)} ago: ${lastError.message}`, {
      style: 'warning',
    });
  }
  out.field('Tunnels', String(connections.length));
  if (connections.length === 0) return;
  out.line();
  printConnections(out, connections);
}
