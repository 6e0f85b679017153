/** `tuntoxctl log`: the log of the daemon. */
import type { StreamEvent } from '../../../control/protocol.js';
import type { Output, Style } from '../../output.js';
import { type Command, show } from '../command.js';
import { usage } from '../ctl-error.js';
import { timeText } from '../names.js';
import { countValue } from '../values.js';

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
/** Control protocol: lines in one request. */
const MAX_LINES = 1_000;
/** Columns of date, time and level. */
const HEAD = 27;

export const LOG_COMMANDS: readonly Command[] = [
  {
    path: ['log', 'tail'],
    about: 'show the last lines of the log',
    more: 'They are those since the daemon started, at its current log level. For older lines: journalctl -u tuntox.',
    options: [
      { name: '--follow', short: 'f', about: 'print new lines as they come, until Ctrl-C' },
      { name: '--lines', short: 'n', value: 'N', about: 'number of past lines (default 20)' },
    ],
    examples: ['', '-f', '-n 100 --json'],
    run: async ({ given, session, signal, out, isJson }) => {
      const lines = countValue(given.value('--lines') ?? '20', '--lines', MAX_LINES);
      const onEvent = (line: LogLine): void => {
        if (isJson) out.json(line, { isOneLine: true });
        else printLine(out, line);
      };
      await session.stream('log.tail', { lines, follow: given.has('--follow') }, { signal, onEvent });
    },
  },
  {
    path: ['log', 'level'],
    isWrite: true,
    about: 'change the log level until the daemon restarts',
    arguments: [{ name: 'LEVEL', completes: LEVELS }],
    examples: ['debug', 'info'],
    run: async (context) => {
      const { given, session } = context;
      const level = LEVELS.find((one) => one === given.argument(0));
      if (level === undefined) {
        throw usage(`unknown log level "${given.argument(0)}"`, `use one of: ${LEVELS.join(', ')}`);
      }
      const result = await session.call('log.level', { level, dryRun: given.dryRun });
      show(context, result, ({ before, now }, out) => {
        out.line(`log level ${given.dryRun ? 'would change' : 'changed'} from ${before} to ${now}`);
      });
    },
  },
];

function printLine(out: Output, { at, level, message }: LogLine): void {
  const head = `${timeText(at, true)}  ${level.padEnd(5)} `;
  // Further lines of a message are aligned with its first.
  const [first = '', ...rest] = message.split('\n');
  out.line(head + first, { style: STYLES[level], indent: HEAD });
  for (const line of rest) out.line(' '.repeat(HEAD) + line, { style: STYLES[level], indent: HEAD });
}
