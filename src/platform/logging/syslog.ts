/**
 * Logs to syslog (`-S`). Node has no Unix datagrams, so logger(1) of util-linux sends the lines, which it reads from a pipe, each
 * with its priority. It is restarted when it exits. Meanwhile, and if it does not work at all, lines go to standard error.
 */
import type { ChildProcess } from 'node:child_process';
import { Writable } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.js';
import { startHelper } from '../process/child.js';

interface Deps {
  readonly clock: Clock;
  /** Gets the lines that syslog does not. */
  readonly fallback: NodeJS.WritableStream;
  readonly pid: number;
}

export interface SyslogOptions {
  /** The name of the program in each line. */
  readonly tag: string;
  readonly command?: readonly string[];
}

/** ms until logger is restarted, which double up to the longest; and after which it counts as working. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;
const PROBATION = 1_000;
/** bytes that may wait for logger. */
const MAX_WAITING = 256 * 1024;
/** Lines that are kept while it is unknown whether logger works: they go to standard error if it exits. */
const MAX_UNPROVED = 200;
/** ms for the last lines at the end. */
const END_TIMEOUT = 2_000;
/** bytes of a message; the default of logger is 1 KiB. */
const MESSAGE_SIZE = '8192';

const MISSING = 'the command logger is missing: install the package bsdutils';
/** As in the plain format of the log. */
const LABELS: Readonly<Record<string, string>> = { '3': 'error: ', '4': 'warning: ', '7': 'debug: ' };

export class Syslog extends Writable {
  readonly #deps: Deps;
  readonly #command: readonly string[];
  #child: ChildProcess | undefined;
  #restart: Timer | undefined;
  #pause = FIRST_PAUSE;
  /** Undefined once the child counts as working. */
  #unproved: string[] | undefined = [];
  #lost = 0;
  #isEnding = false;
  /** Whether the warning about the current failure has been written. */
  #hasComplained = false;

  constructor(deps: Deps, { tag, command }: SyslogOptions) {
    super({ decodeStrings: false });
    this.#deps = deps;
    this.#command = command ?? [
      ...['logger', '--prio-prefix', '--socket-errors=on', `--id=${deps.pid}`],
      ...['--tag', tag, '--priority', 'daemon.info', '--size', MESSAGE_SIZE],
    ];
    this.#start();
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#take(chunk.toString());
    // Never waits for syslog.
    done();
  }

  override _final(done: () => void): void {
    this.#isEnding = true;
    this.#restart?.cancel();
    const child = this.#child;
    if (child === undefined) {
      done();
      return;
    }
    const timer = this.#deps.clock.after(END_TIMEOUT, () => child.kill('SIGKILL'));
    const finish = (): void => {
      timer.cancel();
      done();
    };
    // A child that could not be started does not emit close.
    child.once('close', finish).once('error', finish);
    child.stdin?.end();
  }

  #take(line: string): void {
    const stdin = this.#child?.stdin;
    if (!stdin?.writable) {
      this.#fallBack(line);
      return;
    }
    if (stdin.writableLength > MAX_WAITING) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) {
      stdin.write(`<4>${this.#lost} lines were lost because logger did not read them\n`);
      this.#lost = 0;
    }
    stdin.write(line);
    if (this.#unproved !== undefined && this.#unproved.length < MAX_UNPROVED) this.#unproved.push(line);
  }

  #start(): void {
    const [program = '', ...args] = this.#command;
    this.#unproved = [];
    const probation = this.#deps.clock.after(PROBATION, () => {
      this.#unproved = undefined;
      this.#pause = FIRST_PAUSE;
      this.#hasComplained = false;
    });
    // In a session of its own, because Ctrl-C is for us, and logger has to send our last lines.
    this.#child = startHelper({ program, args, stdin: 'pipe', detached: true }, (failure) => {
      probation.cancel();
      this.#onExit(failure?.includes('ENOENT') ? MISSING : failure);
    });
  }

  /** @param failure undefined after status 0 */
  #onExit(failure: string | undefined): void {
    const unproved = this.#unproved ?? [];
    this.#child = undefined;
    this.#unproved = undefined;
    if (this.#isEnding && failure === undefined) return;
    if (!this.#hasComplained) {
      this.#fallBack(`<4>syslog does not work, so this goes to standard error: ${failure ?? 'logger exited'}\n`);
    }
    this.#hasComplained = true;
    for (const line of unproved) this.#fallBack(line);
    if (this.#isEnding) return;
    this.#restart = this.#deps.clock.after(this.#pause, () => this.#start());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  /** Writes a line with its priority in words. */
  #fallBack(line: string): void {
    this.#deps.fallback.write(line.replace(/^<([0-7])>/, (_all, priority: string) => LABELS[priority] ?? ''));
  }
}
