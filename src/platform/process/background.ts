/**
 * Going into the background (`-z`, bare `-D`). Node cannot fork, so the program starts itself again in a session of its own, with
 * /dev/null as its standard streams. The first process stays until the second one is ready or has failed, shows its output until
 * then, and exits with its status: `tuntox -D …; echo $?` tells whether the start succeeded.
 */
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { Writable } from 'node:stream';
import { CodedError } from '../../base/coded-error.js';
import { trySpawn } from './child.js';
import type { PidFile } from './pid-file.js';
import { type Launch, ownCommand } from './setpriv.js';
import { SIGNAL_STATUS_BASE, STOP_SIGNALS } from './signals.js';

/** Marks the second process, which has a channel to the first. */
const MARK = 'TUNTOX_BACKGROUND_OF';

/** What the second process sends to the first. */
type Message = { readonly out: string } | { readonly err: string } | { readonly isReady: true };

export class BackgroundError extends CodedError<'failed'> {}

/** Whether this is the second process; false once it has begun to work. */
export const isInBackground = ({ env, send }: NodeJS.Process): boolean => env[MARK] !== undefined && send !== undefined;

/** @returns undefined unless this is the second process */
export function backgroundProcess(process: NodeJS.Process): BackgroundProcess | undefined {
  const isMarked = process.env[MARK] !== undefined;
  // Programs that we start must not inherit it.
  delete process.env[MARK];
  return isMarked && process.send !== undefined ? new BackgroundProcess(process) : undefined;
}

export class BackgroundProcess {
  readonly #process: NodeJS.Process;
  #isReady = false;
  /** They replace process.stdout and process.stderr: the first process shows them while it is there. */
  readonly stdout: Writable;
  readonly stderr: Writable;

  constructor(process: NodeJS.Process) {
    this.#process = process;
    this.stdout = this.#stream((text) => ({ out: text }));
    this.stderr = this.#stream((text) => ({ err: text }));
  }

  /** Resolves once the first process knows that it may exit. */
  async ready(): Promise<void> {
    if (this.#isReady) return;
    for (const stream of [this.stdout, this.stderr]) await flushed(stream);
    await this.#send({ isReady: true });
    this.#isReady = true;
    if (this.#process.connected) this.#process.disconnect();
    // The disk that we started from can be unmounted.
    this.#process.chdir('/');
    // Descriptor 2 was the first process's, for errors of a failing start. No file may get this number.
    closeSync(2);
    openSync('/dev/null', 'w');
  }

  #stream(messageOf: (text: string) => Message): Writable {
    return new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, done) => {
        void this.#send(messageOf(chunk.toString())).then(() => done());
      },
    });
  }

  /** Never rejects. */
  async #send(message: Message): Promise<void> {
    if (this.#isReady || !this.#process.connected) return;
    await new Promise<void>((resolve) => this.#process.send?.(message, undefined, undefined, () => resolve()));
  }
}

async function flushed(stream: Writable): Promise<void> {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}

/**
 * Starts the second process. @param launch as another user @param pidFile gets its process ID, and stays if the start succeeds
 * @returns the exit status @throws BackgroundError
 */
export async function startInBackground(process: NodeJS.Process, launch?: Launch, pidFile?: PidFile): Promise<number> {
  const [program = '', ...args] = launch?.command ?? ownCommand(process);
  const child = trySpawn(program, args, {
    detached: true,
    env: { ...(launch?.environment ?? process.env), [MARK]: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', pidFile?.lockFd ?? 'ignore'],
  });
  if (child instanceof Error) throw new BackgroundError('failed', `cannot start another process: ${child.message}`);
  if (child.pid !== undefined) pidFile?.write(child.pid);
  // Ctrl-C does not reach the session of the child.
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of STOP_SIGNALS) process.on(signal, pass);
  child.stderr?.on('data', (bytes: Buffer) => process.stderr.write(bytes));
  const status = await new Promise<number>((resolve) => {
    child.on('message', (message: Message) => {
      if ('out' in message) process.stdout.write(message.out);
      else if ('err' in message) process.stderr.write(message.err);
      else resolve(0);
    });
    child.once('close', (code, signal) => {
      resolve(code ?? SIGNAL_STATUS_BASE + constants.signals[signal ?? 'SIGKILL']);
    });
    child.once('error', (error) => {
      process.stderr.write(`cannot start another process: ${error.message}\n`);
      resolve(1);
    });
  });
  for (const signal of STOP_SIGNALS) process.removeListener(signal, pass);
  if (status === 0) pidFile?.leave();
  else pidFile?.remove();
  child.stderr?.destroy();
  if (child.connected) child.disconnect();
  child.unref();
  return status;
}
