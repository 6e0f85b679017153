/** The only file that imports winston: writes log lines to a stream such as standard error. */
import { createLogger, format, transports } from 'winston';
import type { Clock } from '../../base/clock.js';
import type { Logger, LogLevel } from '../../base/logger.js';
import { LEVELS, levelLogger, type WriteMessage } from './levels.js';
import { type LineFormat, lineOf, onOneLine, withoutSecrets } from './log-format.js';
import type { LogRing } from './log-ring.js';

export interface LogOptions {
  readonly level: LogLevel;
  readonly hasTime: boolean;
  readonly hasColour: boolean;
}

/** A log whose level and format can change. */
export interface ServiceLog {
  readonly logger: Logger;
  level: LogLevel;
  format: LineFormat;
}

/** Returns the log of a command, which shows texts as they are: it may have to show a whole key. */
export function winstonLogger(stream: NodeJS.WritableStream, options: LogOptions): Logger {
  return levelLogger('', options, writerTo(stream, { format: { kind: 'plain', ...options } }));
}

/** Returns the log of a daemon, which is stored: it contains neither whole Tox IDs nor passwords. */
export function serviceLog(
  deps: { readonly clock: Clock; readonly stream: NodeJS.WritableStream; readonly ring?: LogRing },
  options: Omit<ServiceLog, 'logger'>,
): ServiceLog {
  const current = { ...options };
  const write = writerTo(deps.stream, current);
  const logger = levelLogger('', current, (level, text) => {
    const message = withoutSecrets(text);
    write(level, message);
    deps.ring?.add({ at: deps.clock.unixTime(), level, message: onOneLine(message) });
  });
  return Object.assign(current, { logger });
}

function writerTo(stream: NodeJS.WritableStream, current: { readonly format: LineFormat }): WriteMessage {
  // The program continues without a reader.
  stream.on('error', () => {});
  const line = format.printf(({ level, message, timestamp }) =>
    lineOf(current.format, String(timestamp), { level: level as LogLevel, message: onOneLine(String(message)) }),
  );
  const winston = createLogger({
    levels: { ...LEVELS },
    // The level has been checked already.
    level: 'trace',
    format: format.combine(format.timestamp(), line),
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });
  return (level, message) => void winston.log(level, message);
}
