/** Loggers over a function that writes a message; the level can change. */
import type { Logger, LogLevel } from '../../base/logger.js';
import { lineOf, onOneLine } from './log-format.js';

export type WriteMessage = (level: LogLevel, message: string) => void;

export const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3, trace: 4 };

/** @param current shared by all children */
export function levelLogger(prefix: string, current: { readonly level: LogLevel }, write: WriteMessage): Logger {
  // A dropped message costs one comparison; winston would build a record first.
  const at =
    (level: LogLevel, rank = LEVELS[level]) =>
    (message: string): void => {
      if (rank <= LEVELS[current.level]) write(level, prefix + message);
    };
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    child: (name) => levelLogger(`${prefix}${name}: `, current, write),
  };
}

/** The log of a command that loads nothing else: the same lines as winston's. */
export function plainLogger(
  stream: NodeJS.WritableStream,
  options: { readonly level: LogLevel; readonly hasColour: boolean },
): Logger {
  // The program continues without a reader.
  stream.on('error', () => {});
  const format = { kind: 'plain', hasTime: false, hasColour: options.hasColour } as const;
  return levelLogger('', options, (level, message) => {
    stream.write(`${lineOf(format, '', { level, message: onOneLine(message) })}\n`);
  });
}
