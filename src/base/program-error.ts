/** Describes unexpected errors: bugs, and a system without resources. */
import { CodedError, messageOf, systemCodeOf } from './coded-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

const REPORT_IT = 'this is a bug in the program: please report it with this line and the lines before it';
const OUT_OF_RESOURCES =
  'the system has no file descriptor or memory left for this: free some, or raise the limit (LimitNOFILE, ulimit -n)';
const SCARCE: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EAGAIN']);

/** Says what to do about the error. */
export const adviceFor = (thrown: unknown): string => (SCARCE.has(systemCodeOf(thrown)) ? OUT_OF_RESOURCES : REPORT_IT);

/** Returns one line with the error and its place in the source. */
export function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return messageOf(thrown);
  const { message, name, stack = '' } = thrown;
  const what = thrown instanceof CodedError ? message : `${name}: ${message}`;
  const places = [...stack.matchAll(/^ {4}at (.*)$/gm)].map(([, place]) => place);
  // If Node itself throws, our caller is wanted.
  const place = places.find((one) => one !== undefined && !one.includes('node:')) ?? places[0];
  return oneLine(place === undefined ? what : `${what} (at ${place})`);
}

const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, ' ');

/** The daemon's setting for its log. Here it counts for all commands, and before any setting is read. */
const LEVEL_VARIABLE = 'TUNTOX_LOG_LEVEL';
const DEBUG_LEVELS: ReadonlySet<string | undefined> = new Set(['debug', 'trace']);

/** Returns the stack if debug messages are wanted. */
export const stackOf = (thrown: unknown, environment: Environment): string | undefined =>
  DEBUG_LEVELS.has(environment[LEVEL_VARIABLE]) && thrown instanceof Error ? thrown.stack : undefined;

/** Returns the text for standard error, with the stack if debug messages are wanted. */
export function errorReport(thrown: unknown, environment: Environment): string {
  const line = `${describeError(thrown)}: ${adviceFor(thrown)}`;
  const stack = stackOf(thrown, environment);
  return stack === undefined ? line : `${line}\n${stack}`;
}
