/** The only file that imports winston: what the program says, one line an event, on a stream such as standard error. */
import { createLogger, format, transports } from 'winston';
import type { Logger, LogLevel } from '../base/logger.js';

export interface LogOptions {
  /** What is said at the most. */
  readonly level: LogLevel;
  /** Whether each line begins with the time. */
  readonly hasTime: boolean;
  readonly hasColour: boolean;
}

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3, trace: 4 };

/** What stands before a message; plain information needs no introduction. */
const LABELS: Readonly<Record<string, string>> = {
  error: 'error: ',
  warn: 'warning: ',
  info: '',
  debug: 'debug: ',
  trace: 'trace: ',
};

/** ANSI: red and yellow. */
const COLOURS: Readonly<Record<string, number>> = { error: 31, warn: 33 };

export function winstonLogger(stream: NodeJS.WritableStream, options: LogOptions): Logger {
  // A reader that went away must not end the program: it has better things to do than to talk.
  stream.on('error', () => {});
  const line = format.printf(({ level, message, timestamp }) => {
    const label = LABELS[level] as string;
    const colour = options.hasColour ? COLOURS[level] : undefined;
    const shown = colour === undefined ? label : `\u001b[${colour}m${label}\u001b[0m`;
    return `${options.hasTime ? `${timestamp} ` : ''}${shown}${onOneLine(String(message))}`;
  });
  const winston = createLogger({
    levels: { ...LEVELS },
    level: options.level,
    format: options.hasTime ? format.combine(format.timestamp(), line) : line,
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });
  return named('', options.level, (level, message) => {
    winston.log(level, message);
  });
}

type Write = (level: LogLevel, message: string) => void;

function named(prefix: string, threshold: LogLevel, write: Write): Logger {
  // What is not said costs nothing: winston would build a record before it looks at the level.
  const at = (level: LogLevel): ((message: string) => void) =>
    LEVELS[level] <= LEVELS[threshold] ? (message) => write(level, prefix + message) : () => {};
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    child: (name) => named(`${prefix}${name}: `, threshold, write),
  };
}

/** Texts that come from elsewhere can neither begin a line of their own nor steer a terminal. */
function onOneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
