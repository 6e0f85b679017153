/** The format of a log line: for people, for journald, for programs. */
import type { LogLevel } from '../../base/logger.js';
import type { LogRecord } from './log-ring.js';

export type LineFormat =
  | { readonly kind: 'plain'; readonly hasTime: boolean; readonly hasColour: boolean }
  /** A priority before each line, as in sd-daemon(3) and `logger --prio-prefix`. */
  | { readonly kind: 'journal' }
  /** One object per line: time, level, message. */
  | { readonly kind: 'json' };

/** The label before a message. */
const LABELS: Readonly<Record<LogLevel, string>> = {
  error: 'error: ',
  warn: 'warning: ',
  info: '',
  debug: 'debug: ',
  trace: 'trace: ',
};

/** ANSI: red and yellow. */
const COLOURS: Readonly<Partial<Record<LogLevel, number>>> = { error: 31, warn: 33 };

/** syslog(3): err, warning, info, debug, which is the lowest. */
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

/** Escapes control characters, so that texts of others cannot begin a new line or control a terminal. */
export function onOneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/**
 * Removes what must not be in a log: Tox IDs and keys are cut to 8 digits, unless the text calls them public keys, and a URL loses
 * its password.
 */
export function withoutSecrets(text: string): string {
  return text
    .replace(/(public key )?([0-9a-fA-F]{8})([0-9a-fA-F]{56,})/g, (whole, isPublic, start: string, rest: string) =>
      isPublic !== undefined && rest.length === 56 ? whole : `${isPublic ?? ''}${start}…`,
    )
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/]*@/gi, '$1…@');
}
