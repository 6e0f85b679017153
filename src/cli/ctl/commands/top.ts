/** `tuntoxctl top`: the clients and their traffic, updated each second. */
import type { Option } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { CtlError, ExitStatus, usage } from '../ctl-error.js';

/** As in top/top-state, which is loaded when the command runs. */
const ORDERS = ['traffic', 'in', 'out', 'rtt', 'tunnels', 'name'] as const;
const SORT: Option = {
  name: '--sort',
  value: 'ORDER',
  about: `order of the clients: ${ORDERS.join(', ')} (default traffic: bytes of the last minute)`,
  completes: ORDERS,
};

export const TOP_COMMANDS: readonly Command[] = [
  {
    path: ['top'],
    about: 'watch the clients and their traffic, full screen',
    more:
      'IN counts bytes from the client, OUT bytes to it; the bars show the last 60 seconds. ' +
      'Keys: arrows, Page Up, Page Down, Home and End select; Enter shows the tunnels of a client, Left goes back; ' +
      'c closes a tunnel and k disconnects a client, both after a question; s sorts, q quits. ' +
      'With --json it prints a list of the clients each second, one per line.',
    options: [SORT],
    examples: ['', '--sort rtt', '--json'],
    run: async (context) => {
      const given = context.given.value(SORT.name) ?? 'traffic';
      const order = ORDERS.find((one) => one === given);
      if (order === undefined) throw usage(`"${given}" is not an order for --sort`, `use one of: ${ORDERS.join(', ')}`);
      if (context.isJson) return watch(context);
      if (!context.out.canClear || !context.dialogue.hasKeys) {
        throw new CtlError('failed', 'top needs a terminal that can be cleared, for its output and for its keys', {
          hint: 'elsewhere, use: tuntoxctl clients list, or tuntoxctl top --json',
        });
      }
      const { runTop } = await import('../top/top.js');
      return runTop(context, order);
    },
  },
];

async function watch({ session, signal, out }: Context): Promise<number> {
  await session.stream('clients.watch', {}, { signal, onEvent: (list) => out.json(list, { isOneLine: true }) });
  return ExitStatus.Ok;
}
