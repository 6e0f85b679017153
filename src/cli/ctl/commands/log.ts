/** `tuntoxctl log`: what the daemon says. */
import type { StreamEvent } from '../../../control/protocol.js';
import { dateText } from '../../humanise.js';
import type { Output, Style } from '../../output.js';
import { type Command, show } from '../command.js';
import { usage } from '../ctl-error.js';
import { parseCount } from '../values.js';

type LogLine = StreamEvent<'log.tail'>;
type Level = LogLine['level'];

const LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const satisfies readonly Level[];
const STYLES: Readonly<Record<Level, Style>> = {
  error: 'alarm',
  warn: 'warning',
  info: 'plain',
  debug: 'faint',
  trace: 'faint',
};
/** Of the protocol. */
const MOST_LINES = 1_000;
/** Columns of date, time and level. */
const HEAD = 27;

export const LOG_COMMANDS: readonly Command[] = [
  {
    path: ['log', 'tail'],
    about: 'show the last lines of the log',
    more: 'Of this run of the daemon, and in its present level; journalctl -u tuntox goes further back.',
    options: [
      { name: '--follow', short: 'f', about: 'go on with what comes, until Ctrl-C' },
      { name: '--lines', short: 'n', value: 'N', about: 'so many lines of the past (20)' },
    ],
    examples: ['', '-f', '-n 100 --json'],
    run: async ({ given, session, signal, out, isJson }) => {
      const lines = parseCount(given.value('--lines') ?? '20', '--lines', MOST_LINES);
      const onEvent = (line: LogLine): void => {
        if (isJson) out.json(line, { isOneLine: true });
        else printLine(out, line);
      };
      await session.stream('log.tail', { lines, isFollowing: given.has('--follow') }, { signal, onEvent });
    },
  },
  {
    path: ['log', 'level'],
    isWrite: true,
    about: 'change how much is logged, until the next start',
    arguments: [{ name: 'LEVEL', completes: LEVELS }],
    examples: ['debug', 'info'],
    run: async (context) => {
      const { given, session } = context;
      const level = LEVELS.find((one) => one === given.argument(0));
      if (level === undefined) {
        throw usage(`there is no level "${given.argument(0)}"`, `one of: ${LEVELS.join(', ')}`);
      }
      const result = await session.call('log.level', { level, isDryRun: given.isDryRun });
      show(context, result, ({ before, now }, out) => {
        out.line(`${given.isDryRun ? 'would log' : 'logs'} ${now} and above (before: ${before})`);
      });
    },
  },
];

function printLine(out: Output, { at, level, message }: LogLine): void {
  const head = `${dateText(at, true)}  ${level.padEnd(5)} `;
  // Lines of a message stay under it.
  const [first = '', ...rest] = message.split('\n');
  out.line(head + first, { style: STYLES[level], indent: HEAD });
  for (const line of rest) out.line(' '.repeat(HEAD) + line, { style: STYLES[level], indent: HEAD });
}
