/**
 * What a process of root's leaves to the one that goes on in its place as another user: contents by a pipe, open files by their
 * numbers. On the pipe:
 *
 *     what there is, as a line of JSON || the contents, one after the other
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { readUpTo } from '../base/bounded-read.js';
import { CodedError } from '../base/coded-error.js';
import { type Inherited, inherit } from '../base/inheritance.js';

export class BequestError extends CodedError<'unreadable' | 'orphan' | 'still-root'> {}

/** Implementation: bytes of one file; more than any reader of ours takes of those that people write. */
const MAX_FILE_SIZE = 16 * 1024 * 1024;
/** The number under which the successor has the pipe; that of the first open file comes next. */
export const PIPE_FD = 3;
/** Tells the successor that it is one. */
const MARK = 'TUNTOX_SUCCESSOR';

let hasAccepted = false;

type Entry =
  | { readonly path: string; readonly kind: 'directory' }
  | { readonly path: string; readonly kind: 'file'; readonly mode: number; readonly size: number }
  | { readonly path: string; readonly kind: 'descriptor'; readonly fd: number };

interface Head {
  /** Whom it must not outlive; undefined for nobody. */
  readonly parent: number | undefined;
  readonly entries: readonly Entry[];
}

export class Bequest {
  readonly #entries: Entry[] = [];
  readonly #contents: Buffer[] = [];
  readonly #descriptors: number[] = [];

  /** It is there, wherever the successor may not look. */
  addDirectory(path: string): void {
    this.#entries.push({ path, kind: 'directory' });
  }

  /** Whatever can be read of it: what is wrong with it, the successor says. */
  addFile(path: string): void {
    let fd: number | undefined;
    try {
      fd = openSync(path, 'r');
      const content = readUpTo(fd, MAX_FILE_SIZE + 1);
      if (content.length <= MAX_FILE_SIZE) {
        this.#entries.push({ path, kind: 'file', mode: fstatSync(fd).mode, size: content.length });
        this.#contents.push(content);
      }
    } catch {
      // As said.
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** @param fd of an open file, from now on the bequest's to close */
  addDescriptor(path: string, fd: number): void {
    this.#entries.push({ path, kind: 'descriptor', fd: PIPE_FD + 1 + this.#descriptors.length });
    this.#descriptors.push(fd);
  }

  get descriptors(): readonly number[] {
    return this.#descriptors;
  }

  get environment(): Readonly<Record<string, string>> {
    return { [MARK]: '1' };
  }

  /** To be wiped. */
  encode(parent: number | undefined): Buffer {
    const head: Head = { parent, entries: this.#entries };
    return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...this.#contents]);
  }

  /** Once the successor has its own. */
  release(): void {
    for (const fd of this.#descriptors.splice(0)) closeSync(fd);
    for (const content of this.#contents.splice(0)) content.fill(0);
  }
}

/** Whether this process goes on in another one's place. */
export const isSuccessor = (process: NodeJS.Process): boolean => hasAccepted || process.env[MARK] !== undefined;

/** In a process that may be a successor. @throws BequestError */
export function acceptBequest(process: NodeJS.Process): void {
  const isMarked = process.env[MARK] !== undefined;
  // What we start is none.
  delete process.env[MARK];
  if (!isMarked) return;
  // It would start another one, and that one again.
  if (process.geteuid?.() === 0) {
    throw new BequestError('still-root', 'this process was to be another user, and is root: start it without -U');
  }
  const { parent, items } = decode();
  // Whoever dies before the kernel was told whom to tell would leave us behind.
  if (parent !== undefined && parent !== process.ppid) {
    throw new BequestError('orphan', 'the process of root that started this one has ended');
  }
  inherit(items);
  hasAccepted = true;
}

function decode(): { readonly parent: number | undefined; readonly items: [string, Inherited][] } {
  try {
    const bytes = readFileSync(PIPE_FD);
    closeSync(PIPE_FD);
    let offset = bytes.indexOf('\n') + 1;
    const { parent, entries } = JSON.parse(bytes.toString('utf8', 0, offset)) as Head;
    const items = entries.map((entry): [string, Inherited] => {
      if (entry.kind !== 'file') return [entry.path, entry];
      const content = Buffer.from(bytes.subarray(offset, offset + entry.size));
      offset += entry.size;
      return [entry.path, { ...entry, bytes: content }];
    });
    bytes.fill(0);
    return { parent, items };
  } catch (error) {
    throw new BequestError('unreadable', `nothing was left to this process: start it without ${MARK}`, {
      cause: error,
    });
  }
}
