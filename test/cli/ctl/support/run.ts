/** Runs tuntoxctl in this process, on a terminal of 80 columns or on none. */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { systemClock } from '../../../../src/base/clock.js';
import type { InputStream } from '../../../../src/cli/ctl/dialogue.js';
import { main } from '../../../../src/cli/ctl/main.js';

export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly socket?: string;
  /** Columns; none unless given. */
  readonly terminal?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What is on standard input. */
  readonly input?: string;
  /** Instead of that: a terminal, at which somebody presses keys. */
  readonly stdin?: InputStream;
  /** Called when the process would stop, as with Ctrl-Z. */
  readonly onStop?: () => void;
  /** Called with each piece of output, and a way to press Ctrl-C. */
  readonly onOutput?: (text: string, interrupt: () => void) => void;
}

export async function run(words: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { socket, terminal, env = {}, input = '', onOutput } = options;
  const isTTY = terminal !== undefined;
  const said = { stdout: '', stderr: '' };
  const signals = new EventEmitter();
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY,
    columns: terminal ?? 0,
    rows: 24,
    on: () => {},
    once: () => {},
    write: (text: string, done?: () => void) => {
      said[name] += text;
      if (text !== '') onOutput?.(text, () => signals.emit('SIGINT'));
      done?.();
    },
  });
  const stdin = options.stdin ?? (Object.assign(new PassThrough(), { isTTY }) as unknown as InputStream);
  if (options.stdin === undefined) (stdin as unknown as PassThrough).end(input);
  const status = await main(
    {
      argv: ['node', 'tuntoxctl', ...words],
      env: { ...(socket === undefined ? {} : { TUNTOX_SOCKET: socket }), ...env },
      stdin,
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      kill: () => options.onStop?.(),
      once: (signal, listener) => signals.once(signal, listener),
      removeListener: (signal, listener) => signals.removeListener(signal, listener),
    },
    systemClock,
  );
  return { status, ...said };
}

const ESCAPE = '\u001b';

/** Without the colours that are ours. */
export const uncoloured = (text: string): string => text.replaceAll(new RegExp(`${ESCAPE}\\[[?0-9;]*[mHJhl]`, 'g'), '');
