/** How a line of the log looks: for people, for journald, for programs. */
import type { LogLevel } from '../../base/logger.js';
import type { LogRecord } from './log-ring.js';

export type LineFormat =
  | { readonly kind: 'plain'; readonly hasTime: boolean; readonly hasColour: boolean }
  /** The priority of each line before it, as sd-daemon(3) has it, and `logger --prio-prefix`. */
  | { readonly kind: 'journal' }
  /** One object a line: time, level, message. */
  | { readonly kind: 'json' };

/** What stands before a message; plain information needs no introduction. */
const LABELS: Readonly<Record<LogLevel, string>> = {
  error: 'error: ',
  warn: 'warning: ',
  info: '',
  debug: 'debug: ',
  trace: 'trace: ',
};

/** ANSI: red and yellow. */
const COLOURS: Readonly<Partial<Record<LogLevel, number>>> = { error: 31, warn: 33 };

/** syslog(3): err, warning, info, debug; it knows nothing below. */
const PRIORITIES: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7, trace: 7 };

/** @param time in ISO 8601 */
export function lineOf(format: LineFormat, time: string, { level, message }: Omit<LogRecord, 'at'>): string {
  switch (format.kind) {
    case 'plain': {
      const label = LABELS[level];
      const colour = format.hasColour ? COLOURS[level] : undefined;
      const shown = colour === undefined ? label : `\u001b[${colour}m${label}\u001b[0m`;
      return `${format.hasTime ? `${time} ` : ''}${shown}${message}`;
    }
    case 'journal':
      return `<${PRIORITIES[level]}>${message}`;
    case 'json':
      return JSON.stringify({ time, level, message });
  }
}

/** Texts that come from elsewhere can neither begin a line of their own nor steer a terminal. */
export function onOneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/**
 * Without what must not lie in a log: Tox IDs and keys are cut to the 8 digits by which people know them (a longer hex number
 * that long is a key, or a secret one) unless it is said that they are public keys, and a URL loses its password.
 */
export function withoutSecrets(text: string): string {
  return text
    .replace(/(public key )?([0-9a-fA-F]{8})([0-9a-fA-F]{56,})/g, (whole, said, start: string, rest: string) =>
      said !== undefined && rest.length === 56 ? whole : `${said ?? ''}${start}…`,
    )
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/]*@/gi, '$1…@');
}
