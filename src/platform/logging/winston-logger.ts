/** The only file that imports winston: writes log lines to a stream such as standard error. */
import { createLogger, format, transports } from 'winston';
import type { Clock } from '../../base/clock.js';
import type { Logger, LogLevel } from '../../base/logger.js';
import { type LineFormat, lineOf, onOneLine, withoutSecrets } from './log-format.js';
import type { LogRing } from './log-ring.js';

export interface LogOptions {
  readonly level: LogLevel;
  readonly hasTime: boolean;
  readonly hasColour: boolean;
}

export interface ServiceLogOptions {
  readonly level: LogLevel;
  readonly format: LineFormat;
}

/** A log whose level and format can change. */
export interface ServiceLog {
  readonly logger: Logger;
  level: LogLevel;
  format: LineFormat;
}

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3, trace: 4 };

/** Returns the log of a command, which shows texts as they are: it may have to show a whole key. */
export function winstonLogger(stream: NodeJS.WritableStream, options: LogOptions): Logger {
  const { level, hasTime, hasColour } = options;
  const write = writerTo(stream, () => ({ kind: 'plain', hasTime, hasColour }));
  return named('', { rank: LEVELS[level] }, write);
}

/** Returns the log of a daemon, which is stored: it contains neither whole Tox IDs nor passwords. */
export function serviceLog(
  deps: { readonly clock: Clock; readonly stream: NodeJS.WritableStream; readonly ring?: LogRing },
  options: ServiceLogOptions,
): ServiceLog {
  const gate = { rank: LEVELS[options.level] };
  let { level, format: current } = options;
  const write = writerTo(deps.stream, () => current);
  const logger = named('', gate, (level, text) => {
    const message = withoutSecrets(text);
    write(level, message);
    deps.ring?.add({ at: deps.clock.unixTime(), level, message: onOneLine(message) });
  });
  return {
    logger,
    get level() {
      return level;
    },
    set level(value) {
      level = value;
      gate.rank = LEVELS[value];
    },
    get format() {
      return current;
    },
    set format(value) {
      current = value;
    },
  };
}

type Write = (level: LogLevel, message: string) => void;

function writerTo(stream: NodeJS.WritableStream, formatNow: () => LineFormat): Write {
  // The program continues without a reader.
  stream.on('error', () => {});
  const line = format.printf(({ level, message, timestamp }) =>
    lineOf(formatNow(), String(timestamp), { level: level as LogLevel, message: onOneLine(String(message)) }),
  );
  const winston = createLogger({
    levels: { ...LEVELS },
    // The gate has decided already.
    level: 'trace',
    format: format.combine(format.timestamp(), line),
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });
  return (level, message) => void winston.log(level, message);
}

/** @param gate shared by all children: messages that rank above it are dropped */
function named(prefix: string, gate: { readonly rank: number }, write: Write): Logger {
  // A dropped message costs one comparison; winston would build a record first.
  const at =
    (level: LogLevel, rank = LEVELS[level]) =>
    (message: string): void => {
      if (rank <= gate.rank) write(level, prefix + message);
    };
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    child: (name) => named(`${prefix}${name}: `, gate, write),
  };
}
