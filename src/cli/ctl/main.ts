/** tuntoxctl: reads the command line, runs the command, and reports its error. */
import { type Clock, systemClock } from '../../base/clock.js';
import { CodedError } from '../../base/coded-error.js';
import { harmless, wrapped } from '../../base/columns.js';
import { ownVersion } from '../../base/own-files.js';
import { stackOf } from '../../base/program-error.js';
import { isNullDevice, OutputError, outputError, type ResultStream, writeResult } from '../../base/result-output.js';
import { mayColour as mayColourIn } from '../../base/terminal.js';
import { Output, type OutputStream } from '../output.js';
import { readCommandLine } from './arguments.js';
import type { Context } from './command.js';
import { COMMANDS } from './commands.js';
import { complete } from './complete.js';
import { ExitStatus, errorJson, errorReport, errorText } from './ctl-error.js';
import { Dialogue, type InputStream } from './dialogue.js';
import { briefHelp, helpText } from './help.js';
import { Session } from './session.js';
import { socketPlace } from './socket-place.js';

const COMPLETE = '__complete';
/** ms after which Tab offers no names of a daemon that does not answer. */
const COMPLETE_TIMEOUT = 1_000;
/** ms. */
const TIME_TO_STOP = 100;

/** The part of the process that is used; a test passes its own. */
export interface ProcessIo {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: InputStream;
  readonly stdout: OutputStream &
    ResultStream & { readonly fd?: number; on(event: 'error', listener: (error: Error) => void): unknown };
  readonly stderr: OutputStream;
  kill(pid: number, signal: 'SIGTSTP'): unknown;
  once(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  removeListener(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/** @returns the exit status; never throws */
export async function main(process: ProcessIo, clock: Clock = systemClock): Promise<number> {
  const interruption = new Interruption(process);
  try {
    const work = run(process, clock, interruption).then(async (status) => {
      await writeResult(process.stdout, '');
      return status;
    });
    const status = await Promise.race([work, interruption.asked]);
    if (interruption.status === undefined) return status;
    if (interruption.outputError !== undefined) throw interruption.outputError;
    return interruption.status;
  } catch (error) {
    if (error instanceof OutputError && error.code === 'closed-pipe') return ExitStatus.ClosedPipe;
    // After Ctrl-C no error is reported.
    if (interruption.status !== undefined && interruption.outputError === undefined) return interruption.status;
    const report = errorReport(error);
    const isJson = process.argv.includes('--json');
    process.stderr.write(isJson ? errorJson(report) : errorText(report, columnsOf(process.stderr)));
    const stack = error instanceof CodedError ? undefined : stackOf(error, process.env);
    if (stack !== undefined && !isJson) process.stderr.write(`${stack}\n`);
    return report.exitStatus;
  } finally {
    interruption.release();
  }
}

async function run(process: ProcessIo, clock: Clock, interruption: Interruption): Promise<number> {
  const words = process.argv.slice(2);
  if (words[0] === COMPLETE) {
    const session = new Session(clock, {
      socket: socketPlace(process.env, undefined),
      version: ownVersion(),
      timeout: COMPLETE_TIMEOUT,
    });
    const sources = {
      call: session.call.bind(session),
      hosts: async () => (await import('./hosts.js')).hostNames(process.env),
    };
    const found = await complete(words.slice(1), COMMANDS, sources).finally(() => session.close());
    for (const line of found) process.stdout.write(`${line}\n`);
    return ExitStatus.Ok;
  }
  const line = readCommandLine(words, COMMANDS);
  switch (line.kind) {
    case 'help':
      process.stdout.write(
        line.isBrief && line.path.length === 0 ? briefHelp(COMMANDS) : helpText(line.path, COMMANDS),
      );
      return ExitStatus.Ok;
    case 'version':
      process.stdout.write(`tuntoxctl ${ownVersion()}\n`);
      return ExitStatus.Ok;
    case 'command': {
      const { command, given } = line;
      const socket = socketPlace(process.env, given);
      const isJson = given.has('--json');
      const mayColour = !given.has('--no-color') && mayColourIn(process.env);
      const write = (text: string): void => void process.stderr.write(text);
      const note = (text: string): void => write(`${wrapped(harmless(text), columnsOf(process.stderr)).join('\n')}\n`);
      const session = new Session(clock, {
        socket,
        version: ownVersion(),
        onConnected: () => {
          if (socket.hasOther === true && !isJson)
            note(`this is your own daemon (${socket.path}); for that of this machine, add --system`);
        },
      });
      // A pending request, or a read from the terminal, would keep the process alive.
      interruption.signal.addEventListener('abort', () => {
        session.close();
        process.stdin.destroy();
      });
      const context: Context = {
        clock,
        given,
        out: new Output(process.stdout, { mayColour, isDumb: process.env.TERM === 'dumb' }),
        isJson,
        dialogue: new Dialogue(() => process.stdin, write, {
          isPerson: process.stdin.isTTY === true && process.stderr.isTTY === true,
          hasKeys: process.stdin.isTTY === true,
          stop: () => stopped(process, clock),
        }),
        session,
        environment: process.env,
        signal: interruption.signal,
        written: async () => {
          if (process.stdout.fd !== undefined && isNullDevice(process.stdout.fd)) {
            throw new OutputError('not-written', 'standard output is closed or is /dev/null');
          }
          await writeResult(process.stdout, '');
        },
        note,
      };
      try {
        return (await command.run(context)) ?? ExitStatus.Ok;
      } finally {
        session.close();
      }
    }
  }
}

/** Stops the process with its group, as the terminal does for Ctrl-Z. It is stopped before the time is over, if it can be. */
async function stopped(process: ProcessIo, clock: Clock): Promise<void> {
  process.kill(0, 'SIGTSTP');
  await new Promise<void>((resolve) => {
    clock.after(TIME_TO_STOP, resolve);
  });
}

const columnsOf = ({ isTTY, columns }: OutputStream): number =>
  isTTY === true ? columns || 80 : Number.POSITIVE_INFINITY;

/** The end of the command before its time: by Ctrl-C, by a signal, or because the reader of the output closed it. */
class Interruption {
  readonly #abort = new AbortController();
  readonly #release: () => void;
  #resolve: (status: number) => void = () => {};
  readonly asked: Promise<number>;
  status: number | undefined;
  /** The error of the output, when it has to be reported. */
  outputError: OutputError | undefined;

  constructor(process: ProcessIo) {
    this.asked = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const onInterrupt = (): void => this.#end(ExitStatus.Interrupted);
    const onTerminate = (): void => this.#end(ExitStatus.Terminated);
    process.once('SIGINT', onInterrupt);
    process.once('SIGTERM', onTerminate);
    process.stdout.on('error', (error) => {
      const reason = outputError(error);
      if (reason.code === 'not-written') this.outputError ??= reason;
      this.#end(reason.code === 'closed-pipe' ? ExitStatus.ClosedPipe : ExitStatus.Failed);
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
