/** What is said of what nobody foresaw: a mistake of the program itself, or that the system had nothing more to give. */
import { CodedError, messageOf, systemCodeOf } from './coded-error.js';

const REPORT_IT = 'this is a fault of the program, please report it with this line and those before it';
const OUT_OF_RESOURCES =
  'the system has no file descriptor or memory left for this: free some, or raise the limit (LimitNOFILE, ulimit -n)';
const SCARCE: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EAGAIN']);

/** What to do about it. */
export const adviceFor = (thrown: unknown): string => (SCARCE.has(systemCodeOf(thrown)) ? OUT_OF_RESOURCES : REPORT_IT);

/** In one line: what was thrown, and the place in the source from which it came. */
export function describeFault(thrown: unknown): string {
  if (!(thrown instanceof Error)) return messageOf(thrown);
  const { message, name, stack = '' } = thrown;
  // What we foresaw says itself what to do.
  const what = thrown instanceof CodedError ? message : `${name}: ${message}`;
  const places = [...stack.matchAll(/^ {4}at (.*)$/gm)].map(([, place]) => place);
  // What Node refuses to do was asked for by somebody of ours.
  const place = places.find((one) => one !== undefined && !one.includes('node:')) ?? places[0];
  return oneLine(place === undefined ? what : `${what} (at ${place})`);
}

const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, ' ');

/** The setting of the daemon's log; here it counts for all three commands, and before any setting was read. */
const LEVEL_VARIABLE = 'TUNTOX_LOG_LEVEL';
const TALKATIVE: ReadonlySet<string | undefined> = new Set(['debug', 'trace']);

/** For those who debug a command that has no log. */
export function stackOf(
  thrown: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return TALKATIVE.has(environment[LEVEL_VARIABLE]) && thrown instanceof Error ? thrown.stack : undefined;
}

/** Where there is no log: the line with what to do, and for those who debug the stack below it. */
export function faultText(thrown: unknown, environment: Readonly<Record<string, string | undefined>>): string {
  const line = `${describeFault(thrown)}: ${adviceFor(thrown)}`;
  const stack = stackOf(thrown, environment);
  return stack === undefined ? line : `${line}\n${stack}`;
}
