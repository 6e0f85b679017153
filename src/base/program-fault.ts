/** What is said of a mistake of the program itself, which nobody who uses it can have made. */
import { CodedError, messageOf } from './coded-error.js';

/** What to do about it. */
export const REPORT_IT = 'this is a fault of the program, please report it with this line and those before it';

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
  const line = `${describeFault(thrown)}: ${REPORT_IT}`;
  const stack = stackOf(thrown, environment);
  return stack === undefined ? line : `${line}\n${stack}`;
}
