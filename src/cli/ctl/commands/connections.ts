/** `tuntoxctl connections`: the tunnels that run through the daemon. */
import { countText } from '../../humanise.js';
import type { Output } from '../../output.js';
import { type Command, type Context, show } from '../command.js';
import { printClosed, printConnections } from '../connection-table.js';
import { usage } from '../ctl-error.js';
import { ExitStatus } from '../exit-status.js';
import { parseDuration } from '../values.js';

const CLIENT = { name: '--client', value: 'C', about: 'only those of this client', completes: 'client' } as const;
/** Lines of the screen besides rows and footnotes: the count, the heading, what was left out, the cursor. */
const AROUND_ROWS = 4;
const CLEAR = '\x1b[H\x1b[J';

export const CONNECTION_COMMANDS: readonly Command[] = [
  {
    path: ['connections', 'list'],
    isDefault: true,
    about: 'list the tunnels',
    more: 'IN is what came from the client, OUT what went to it.',
    options: [
      CLIENT,
      { name: '--watch', short: 'w', about: 'look again and again, until Ctrl-C' },
      { name: '--interval', value: 'D', about: 'with --watch: how often (1s)' },
    ],
    examples: ['', '--client laptop', '--watch --interval 2s'],
    run: async (context) => {
      const { given, session } = context;
      const client = given.value('--client');
      const params = client === undefined ? {} : { client };
      if (given.has('--watch')) return watch(context, params);
      if (given.has('--interval')) throw usage('--interval belongs to --watch', 'add --watch, or leave it out');
      const list = await session.call('connections.list', params);
      show(context, list, ({ connections }, out) => printConnections(out, connections));
      return ExitStatus.Ok;
    },
  },
  {
    path: ['connections', 'close'],
    isWrite: true,
    about: 'close one tunnel, or all of a client',
    more: 'The client stays and may open new ones: clients kick and whitelist remove do more.',
    arguments: [{ name: 'CONNECTION', isOptional: true, completes: 'connection' }],
    options: [{ ...CLIENT, about: 'all of this client' }],
    examples: ['c-17', '--client laptop'],
    run: async (context) => {
      const { given, session } = context;
      const [connection] = given.arguments;
      const client = given.value('--client');
      if ((connection === undefined) === (client === undefined)) {
        throw usage('close which? a connection, or all of one client', 'as in: c-17, or --client laptop');
      }
      if (connection !== undefined && !/^c-[1-9][0-9]*$/.test(connection)) {
        throw usage(`"${connection}" is not a connection`, 'they are named as in c-17; for a client, add --client');
      }
      const { isDryRun } = given;
      const which = connection === undefined ? { client: client as string } : { connection };
      const result = await session.call('connections.close', { ...which, isDryRun });
      show(context, result, ({ closed }, out) => printClosed(out, closed, isDryRun));
    },
  },
];

async function watch(context: Context, params: { readonly client?: string }): Promise<number> {
  const { given, session, signal, out, isJson } = context;
  const interval = parseDuration(given.value('--interval') ?? '1s', '--interval');
  if (interval < 200 || interval > 60_000) throw usage('--interval is from 200ms to 1m');
  await session.stream(
    'connections.watch',
    { ...params, interval },
    {
      signal,
      onEvent: (list) => {
        if (isJson) out.json(list, { isOneLine: true });
        else printScreen(out, list.connections);
      },
    },
  );
  return ExitStatus.Ok;
}

function printScreen(out: Output, connections: Parameters<typeof printConnections>[1]): void {
  if (!out.isTerminal) {
    printConnections(out, connections);
    out.line();
    return;
  }
  out.raw(CLEAR);
  out.line(`${countText(connections.length, 'tunnel')}; Ctrl-C ends`, { style: 'faint' });
  printConnections(out, connections, Math.max(1, out.rows - AROUND_ROWS));
}
