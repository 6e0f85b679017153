/**
 * Logging to syslog (`-S`). Node has no Unix datagrams, so util-linux's `logger` sends the lines, which it gets by a pipe with the
 * priority before each. It is started again when it dies; until then, and where it cannot work at all, lines go to standard error.
 */
import type { ChildProcess } from 'node:child_process';
import { Writable } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.js';
import { helperEnvironment } from '../../base/helper-environment.js';
import { trySpawn } from '../process/child.js';

interface Deps {
  readonly clock: Clock;
  /** Takes the lines that syslog does not. */
  readonly fallback: NodeJS.WritableStream;
  readonly pid: number;
}

export interface SyslogOptions {
  /** What the lines are marked with: the program's name. */
  readonly tag: string;
  /** A test passes its own. */
  readonly command?: readonly string[];
}

/** ms until `logger` is started again, growing, and after which one that still runs counts as working. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;
const PROBATION = 1_000;
/** Bytes that may wait for `logger` to read them: about as many lines as anybody wants to read of a machine in trouble. */
const MOST_WAITING = 256 * 1024;
/** Lines kept while it is not known yet whether `logger` works: they may have been lost with it. */
const MOST_UNPROVED = 200;
/** ms for the last lines at the end. */
const GOODBYE = 2_000;
/** Bytes of one message; its own limit is 1 KiB. */
const MESSAGE_SIZE = '8192';

/** As on a terminal. */
const LABELS: Readonly<Record<string, string>> = { '3': 'error: ', '4': 'warning: ', '7': 'debug: ' };

export class Syslog extends Writable {
  readonly #deps: Deps;
  readonly #command: readonly string[];
  #child: ChildProcess | undefined;
  #restart: Timer | undefined;
  #pause = FIRST_PAUSE;
  /** Undefined once the running child has proved itself. */
  #unproved: string[] | undefined = [];
  #lost = 0;
  #isEnding = false;
  /** Once for each time that it stopped working. */
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
    // Whoever speaks never waits for syslog.
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
    const timer = this.#deps.clock.after(GOODBYE, () => child.kill('SIGKILL'));
    const finish = (): void => {
      timer.cancel();
      done();
    };
    // One that could not be started at all is never closed.
    child.once('close', finish).once('error', finish);
    child.stdin?.end();
  }

  #take(line: string): void {
    const stdin = this.#child?.stdin;
    if (!stdin?.writable) {
      this.#fallBack(line);
      return;
    }
    if (stdin.writableLength > MOST_WAITING) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) {
      stdin.write(`<4>${this.#lost} lines were lost, because logger did not read them\n`);
      this.#lost = 0;
    }
    stdin.write(line);
    if (this.#unproved !== undefined && this.#unproved.length < MOST_UNPROVED) this.#unproved.push(line);
  }

  #start(): void {
    const [program, ...args] = this.#command;
    // In a session of its own: Ctrl-C is for us, and logger has to send our last lines.
    const child = trySpawn(program as string, args, {
      env: helperEnvironment(),
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
    });
    this.#unproved = [];
    if (child instanceof Error) {
      this.#onEnd(child.message);
      return;
    }
    this.#child = child;
    const probation = this.#deps.clock.after(PROBATION, () => {
      this.#unproved = undefined;
      this.#pause = FIRST_PAUSE;
      this.#hasComplained = false;
    });
    let text = '';
    child.stderr?.on('data', (bytes: Buffer) => {
      text = (text + bytes.toString()).slice(0, 500);
    });
    let hasEnded = false;
    const onEnd = (failure: string | undefined): void => {
      if (hasEnded) return;
      hasEnded = true;
      probation.cancel();
      this.#onEnd(failure);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      onEnd(error.code === 'ENOENT' ? 'the command logger is missing: install the package bsdutils' : error.message);
    });
    child.once('close', (code, signal) => {
      onEnd(code === 0 ? undefined : text.trim().split('\n', 1)[0] || `logger ended with ${code ?? signal}`);
    });
  }

  /** @param failure undefined when it ended as it should */
  #onEnd(failure: string | undefined): void {
    const unproved = this.#unproved ?? [];
    this.#child = undefined;
    this.#unproved = undefined;
    if (this.#isEnding && failure === undefined) return;
    if (!this.#hasComplained) {
      this.#fallBack(`<4>syslog does not work, so this goes to standard error: ${failure ?? 'logger ended'}\n`);
    }
    this.#hasComplained = true;
    for (const line of unproved) this.#fallBack(line);
    if (this.#isEnding) return;
    this.#restart = this.#deps.clock.after(this.#pause, () => this.#start());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  /** For people: in words what logger takes as a number. */
  #fallBack(line: string): void {
    this.#deps.fallback.write(line.replace(/^<([0-7])>/, (_all, priority: string) => LABELS[priority] ?? ''));
  }
}
