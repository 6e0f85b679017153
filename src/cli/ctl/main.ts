/** tuntoxctl: reads what was typed, runs the command, and says how it ended. */
import { type Clock, systemClock } from '../../base/clock.js';
import { CodedError } from '../../base/coded-error.js';
import { ownVersion } from '../../base/own-files.js';
import { stackOf } from '../../base/program-fault.js';
import { isNullDevice, OutputError, outputError, type ResultStream, writeResult } from '../../base/result-output.js';
import { harmless, wrapped } from '../columns.js';
import { Output, type OutputStream } from '../output.js';
import type { Context } from './command.js';
import { COMMANDS } from './commands.js';
import { complete } from './complete.js';
import { Dialogue, type InputStream } from './dialogue.js';
import { ExitStatus } from './exit-status.js';
import { failureJson, failureOf, failureText } from './failure.js';
import { readLine } from './given.js';
import { helpText } from './help.js';
import { Session, type SocketPlace } from './session.js';

export const DEFAULT_SOCKET = '/run/tuntox/tuntoxd.sock';
const COMPLETE = '__complete';
/** Implementation: ms after which Tab offers nothing rather than keep somebody waiting for a daemon that does not answer. */
const COMPLETE_TIMEOUT = 1_000;

/** What we need of the process; a test passes its own. */
export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: InputStream;
  readonly stdout: OutputStream &
    ResultStream & { readonly fd?: number; on(event: 'error', listener: (error: Error) => void): unknown };
  readonly stderr: OutputStream;
  once(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  removeListener(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/** @returns the exit status; never throws */
export async function main(process: Surroundings, clock: Clock = systemClock): Promise<number> {
  const ending = new Ending(process);
  try {
    const work = run(process, clock, ending).then(async (status) => {
      await writeResult(process.stdout, '');
      return status;
    });
    const status = await Promise.race([work, ending.asked]);
    if (ending.status === undefined) return status;
    if (ending.fault !== undefined) throw ending.fault;
    return ending.status;
  } catch (error) {
    if (error instanceof OutputError && error.code === 'nobody-reads') return ExitStatus.NobodyReads;
    // Who stopped it wants no complaint.
    if (ending.status !== undefined && ending.fault === undefined) return ending.status;
    const failure = failureOf(error);
    const isJson = process.argv.includes('--json');
    const columns = process.stderr.isTTY === true ? process.stderr.columns || 80 : Number.POSITIVE_INFINITY;
    process.stderr.write(isJson ? failureJson(failure) : failureText(failure, columns));
    const stack = error instanceof CodedError ? undefined : stackOf(error, process.env);
    if (stack !== undefined && !isJson) process.stderr.write(`${stack}\n`);
    return failure.exitStatus;
  } finally {
    ending.release();
  }
}

async function run(process: Surroundings, clock: Clock, ending: Ending): Promise<number> {
  const words = process.argv.slice(2);
  if (words[0] === COMPLETE) {
    const session = new Session(clock, {
      socket: socketOf(process, undefined),
      version: ownVersion(),
      timeout: COMPLETE_TIMEOUT,
    });
    const found = await complete(words.slice(1), COMMANDS, session).finally(() => session.close());
    for (const line of found) process.stdout.write(`${line}\n`);
    return ExitStatus.Ok;
  }
  const line = readLine(words[0] === 'help' ? [...words.slice(1), '--help'] : words, COMMANDS);
  switch (line.kind) {
    case 'help':
      process.stdout.write(helpText(line.path, COMMANDS));
      return ExitStatus.Ok;
    case 'version':
      process.stdout.write(`tuntoxctl ${ownVersion()}\n`);
      return ExitStatus.Ok;
    case 'command': {
      const { command, given } = line;
      const session = new Session(clock, { socket: socketOf(process, given.value('--socket')), version: ownVersion() });
      const mayColour = !given.has('--no-color') && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
      const note = (text: string): void => void process.stderr.write(text);
      // What waits for the daemon, or for somebody to type, would keep the process alive.
      ending.signal.addEventListener('abort', () => {
        session.close();
        process.stdin.destroy();
      });
      const context: Context = {
        clock,
        given,
        out: new Output(process.stdout, { mayColour }),
        isJson: given.has('--json'),
        dialogue: new Dialogue(() => process.stdin, note, {
          isPerson: process.stdin.isTTY === true && process.stderr.isTTY === true,
        }),
        session,
        signal: ending.signal,
        written: async () => {
          if (process.stdout.fd !== undefined && isNullDevice(process.stdout.fd)) {
            throw new OutputError('not-written', 'standard output is closed, or is /dev/null');
          }
          await writeResult(process.stdout, '');
        },
        note: (text) => {
          const columns = process.stderr.isTTY === true ? process.stderr.columns || 80 : Number.POSITIVE_INFINITY;
          note(`${wrapped(harmless(text), columns).join('\n')}\n`);
        },
      };
      try {
        return (await command.run(context)) ?? ExitStatus.Ok;
      } finally {
        session.close();
      }
    }
  }
}

function socketOf({ env }: Surroundings, given: string | undefined): SocketPlace {
  if (given) return { path: given, from: 'option' };
  const { TUNTOX_SOCKET: path } = env;
  return path ? { path, from: 'environment' } : { path: DEFAULT_SOCKET, from: 'default' };
}

/** Being told to end: by Ctrl-C, a signal, or because nobody reads the output. */
class Ending {
  readonly #abort = new AbortController();
  readonly #release: () => void;
  #resolve: (status: number) => void = () => {};
  readonly asked: Promise<number>;
  status: number | undefined;
  /** Of the output, where somebody should be told of it. */
  fault: OutputError | undefined;

  constructor(process: Surroundings) {
    this.asked = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const onInterrupt = (): void => this.#end(ExitStatus.Interrupted);
    const onTerminate = (): void => this.#end(ExitStatus.Terminated);
    process.once('SIGINT', onInterrupt);
    process.once('SIGTERM', onTerminate);
    process.stdout.on('error', (error) => {
      const fault = outputError(error);
      if (fault.code === 'not-written') this.fault ??= fault;
      this.#end(fault.code === 'nobody-reads' ? ExitStatus.NobodyReads : ExitStatus.Failed);
    });
    this.#release = () => {
      process.removeListener('SIGINT', onInterrupt);
      process.removeListener('SIGTERM', onTerminate);
    };
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  release(): void {
    this.#release();
  }

  #end(status: number): void {
    this.status ??= status;
    this.#abort.abort();
    this.#resolve(status);
  }
}
