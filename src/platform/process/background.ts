/**
 * Going into the background (`-z`, bare `-D`). Node cannot fork, so the program starts itself once more, in a session of its own
 * with nothing at its standard streams; the first process stays until the second one is ready or has failed, shows what that one
 * says until then, and ends with its status: `tuntox -D …; echo $?` tells the truth.
 */
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { Writable } from 'node:stream';
import { CodedError } from '../../base/coded-error.js';
import { trySpawn } from './child.js';
import type { PidFile } from './pid-file.js';
import { type Launch, ownCommand } from './setpriv.js';
import { STOP_SIGNALS } from './signals.js';

/** Tells the second process that it is the second one; with a channel to the first, which nobody else inherits. */
const MARK = 'TUNTOX_BACKGROUND_OF';

/** What the second process sends to the first. */
type Word = { readonly out: string } | { readonly err: string } | { readonly isReady: true };

export class BackgroundError extends CodedError<'failed'> {}

/** What a shell reports of a process that a signal ended. */
const SIGNAL_STATUS_BASE = 128;

/** @returns the second process's side, or undefined when this is not the second process */
export function backgroundSide(process: NodeJS.Process): BackgroundSide | undefined {
  const isMarked = process.env[MARK] !== undefined;
  // What we start is not to take itself for us.
  delete process.env[MARK];
  return isMarked && process.send !== undefined ? new BackgroundSide(process) : undefined;
}

export class BackgroundSide {
  readonly #process: NodeJS.Process;
  #isReady = false;
  /** To take the places of process.stdout and process.stderr: shown by the first process, and afterwards by nobody. */
  readonly stdout: Writable;
  readonly stderr: Writable;

  constructor(process: NodeJS.Process) {
    this.#process = process;
    this.stdout = this.#stream((text) => ({ out: text }));
    this.stderr = this.#stream((text) => ({ err: text }));
  }

  /** From now on we are alone. Resolves once the first process has been told. */
  async ready(): Promise<void> {
    if (this.#isReady) return;
    for (const stream of [this.stdout, this.stderr]) await drained(stream);
    await this.#send({ isReady: true });
    this.#isReady = true;
    if (this.#process.connected) this.#process.disconnect();
    // A disk that we only started from can be taken away.
    this.#process.chdir('/');
    // It was the first one's, for the last words of a process that fails to start; no file may get its number.
    closeSync(2);
    openSync('/dev/null', 'w');
  }

  #stream(wordOf: (text: string) => Word): Writable {
    return new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, done) => {
        void this.#send(wordOf(chunk.toString())).then(() => done());
      },
    });
  }

  /** Never rejects. */
  async #send(word: Word): Promise<void> {
    if (this.#isReady || !this.#process.connected) return;
    await new Promise<void>((resolve) => this.#process.send?.(word, undefined, undefined, () => resolve()));
  }
}

/** Once all that was written before is on its way. */
async function drained(stream: Writable): Promise<void> {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}

/**
 * Starts the second process. @param launch where that is another user's @param pidFile gets its number, and stays if it does
 * @returns the status with which to end @throws BackgroundError
 */
export async function goIntoBackground(process: NodeJS.Process, launch?: Launch, pidFile?: PidFile): Promise<number> {
  const [program = '', ...args] = launch?.command ?? ownCommand(process);
  const child = trySpawn(program, args, {
    detached: true,
    env: { ...(launch?.environment ?? process.env), [MARK]: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', pidFile?.lockFd ?? 'ignore'],
  });
  if (child instanceof Error) throw new BackgroundError('failed', `cannot start another process: ${child.message}`);
  if (child.pid !== undefined) pidFile?.write(child.pid);
  // It is in another session now, where Ctrl-C does not reach it.
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of STOP_SIGNALS) process.on(signal, pass);
  child.stderr?.on('data', (bytes: Buffer) => process.stderr.write(bytes));
  const status = await new Promise<number>((resolve) => {
    child.on('message', (word: Word) => {
      if ('out' in word) process.stdout.write(word.out);
      else if ('err' in word) process.stderr.write(word.err);
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
