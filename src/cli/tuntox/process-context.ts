/** What every mode gets of the process, with a connection of its own or through the agent. */
import type { Writable } from 'node:stream';
import { systemClock } from '../../base/clock.js';
import { mayColour as mayColourIn } from '../../base/terminal.js';
import type { RunSettings } from '../../config/classic-settings.js';
import { closePipeAtEnd } from '../../platform/process/standard-output.js';
import type { StatusLine } from '../status-line.js';
import type { Context } from './context.js';
import { displayOn } from './display.js';
import { jsonEvents } from './json-events.js';

/** Returns whether a stream gets colours. @param mayColour whether the command line allows them */
export const colourRule =
  ({ env }: NodeJS.Process, mayColour: boolean) =>
  ({ isTTY }: { readonly isTTY?: boolean }): boolean =>
    isTTY === true && mayColour && mayColourIn(env);

/** The reader of standard output may close it: each mode handles that itself. */
export function outliveReader({ stdout }: NodeJS.Process): void {
  stdout.on('error', () => {});
  closePipeAtEnd(stdout, systemClock);
}

/** @param options.line shows the progress; undefined when the log alone does */
export function contextOf(
  process: NodeJS.Process,
  settings: RunSettings,
  options: Pick<Context, 'log' | 'hasColour' | 'stopping' | 'descriptors'> & {
    readonly line: StatusLine | undefined;
    readonly stdout?: Writable | undefined;
  },
): Context {
  const { line, stdout = process.stdout, ...rest } = options;
  return {
    ...rest,
    environment: process.env,
    // Opened only when it is used: an open standard input keeps the process alive.
    get stdin() {
      return process.stdin;
    },
    stdout,
    display: line && displayOn(line, rest.log),
    tell: jsonEvents(settings, { stdout, stderr: process.stderr })?.tell,
  };
}
