/** `tuntoxctl connections`: the tunnels through the daemon. */
import { countText } from '../../../base/units.js';
import type { Output } from '../../output.js';
import { type Command, type Context, show } from '../command.js';
import { printClosed, printConnections } from '../connection-table.js';
import { ExitStatus, usage } from '../ctl-error.js';
import { durationValue } from '../values.js';

const CLIENT = {
  name: '--client',
  value: 'CLIENT',
  about: 'only tunnels of this client',
  completes: 'client',
} as const;
/** Lines of the screen besides rows and footnotes: the count, the heading, the number of omitted rows, the cursor. */
const AROUND_ROWS = 4;
const CLEAR = '\x1b[H\x1b[J';

export const CONNECTION_COMMANDS: readonly Command[] = [
  {
    path: ['connections', 'list'],
    isDefault: true,
    about: 'list the tunnels',
    more: 'IN counts bytes from the client, OUT bytes to it.',
    options: [
      CLIENT,
      { name: '--watch', short: 'w', about: 'update the list until Ctrl-C' },
      { name: '--interval', value: 'TIME', about: 'with --watch: time between updates (default 1s)' },
    ],
    examples: ['', '--client laptop', '--watch --interval 2s'],
    run: async (context) => {
      const { given, session } = context;
      const client = given.value('--client');
      const params = client === undefined ? {} : { client };
      if (given.has('--watch')) return watch(context, params);
      if (given.has('--interval')) throw usage('--interval needs --watch', 'add --watch, or remove --interval');
      const list = await session.call('connections.list', params);
      show(context, list, ({ connections }, out) => printConnections(out, connections));
      return ExitStatus.Ok;
    },
  },
  {
    path: ['connections', 'close'],
    isWrite: true,
    about: 'close one tunnel, or all tunnels of a client',
    more: 'The client stays connected and may open new tunnels. To prevent that, use clients kick or whitelist remove.',
    arguments: [{ name: 'CONNECTION', isOptional: true, completes: 'connection' }],
    options: [{ ...CLIENT, about: 'close all tunnels of this client' }],
    examples: ['c-17', '--client laptop'],
    run: async (context) => {
      const { given, session } = context;
      const [connection] = given.arguments;
      const client = given.value('--client');
      if ((connection === undefined) === (client === undefined)) {
        throw usage(
          'name either a connection or a client',
          'examples: connections close c-17, connections close --client laptop',
        );
      }
      if (connection !== undefined && !/^c-[1-9][0-9]*$/.test(connection)) {
        throw usage(
          `"${connection}" is not a connection`,
          'connection IDs look like c-17; to name a client: --client laptop',
        );
      }
      const { dryRun } = given;
      const which = connection === undefined ? { client: client as string } : { connection };
      const result = await session.call('connections.close', { ...which, dryRun });
      show(context, result, ({ closed }, out) => printClosed(out, closed, dryRun));
    },
  },
];

async function watch(context: Context, params: { readonly client?: string }): Promise<number> {
  const { given, session, signal, out, isJson } = context;
  const interval = durationValue(given.value('--interval') ?? '1s', '--interval');
  if (interval < 200 || interval > 60_000) throw usage('--interval must be between 200ms and 1m');
  await session.stream(
    'connections.watch',
    { ...params, intervalMs: interval },
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
  if (!out.canClear) {
    printConnections(out, connections);
    out.line();
    return;
  }
  out.raw(CLEAR);
  out.line(`${countText(connections.length, 'tunnel')}; press Ctrl-C to stop`, { style: 'faint' });
  printConnections(out, connections, Math.max(1, out.rows - AROUND_ROWS));
}
