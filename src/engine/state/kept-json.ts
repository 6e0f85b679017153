/**
 * A small file of state beside `tox_save`: JSON with a version, private, replaced as a whole. What it holds counts only when
 * it is on the disk; the lock of `tox_save` keeps other processes out.
 */
import { join } from 'node:path';
import { CodedError, systemCodeOf } from '../../base/coded-error.js';
import { replaceFile } from './durable-file.js';
import type { FileSystem } from './file-system.js';
import { SETTINGS } from './setting-names.js';
import { asStateFileError, reasonOf } from './state-file-error.js';

/** The message names the file and says what to do. */
export class KeptStateError extends CodedError<'unreadable' | 'corrupt' | 'newer'> {}

const FILE_MODE = 0o600;
/** Bytes; ten thousand entries of a whitelist fit. */
const MAX_SIZE = 8 * 1024 * 1024;

export interface Kept<Value> {
  /** Of the file. */
  readonly name: string;
  readonly version: number;
  /** While there is no file. */
  readonly initial: Value;
  /** @throws Error with what is wrong, in words */
  decode(content: Record<string, unknown>): Value;
  encode(value: Value): Record<string, unknown>;
}

export class KeptJson<Value> {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #kept: Kept<Value>;
  #value: Value;
  /** The end of the last change: each begins with what the one before left. */
  #changing: Promise<unknown> = Promise.resolve();

  private constructor(files: FileSystem, directory: string, kept: Kept<Value>, value: Value) {
    this.#files = files;
    this.#directory = directory;
    this.#kept = kept;
    this.#value = value;
  }

  /** @throws KeptStateError when there is a file that cannot be used; it stays as it is */
  static async open<Value>(files: FileSystem, directory: string, kept: Kept<Value>): Promise<KeptJson<Value>> {
    const path = join(directory, kept.name);
    return new KeptJson(files, directory, kept, await read(files, path, kept));
  }

  get value(): Value {
    return this.#value;
  }

  get path(): string {
    return join(this.#directory, this.#kept.name);
  }

  /**
   * Changes the value, durably. Changes wait for each other.
   * @param change makes the new value of the old one; what it throws is thrown here, and nothing has changed
   * @throws StateFileError when it could not be saved; then the old value is still there, in memory and on the disk
   */
  change(change: (old: Value) => Value): Promise<Value> {
    const changed = this.#changing.then(async () => {
      const value = change(this.#value);
      if (value === this.#value) return value;
      const { version, encode } = this.#kept;
      const text = `${JSON.stringify({ version, ...encode(value) }, undefined, 2)}\n`;
      try {
        const options = { mode: FILE_MODE, link: 'followed' } as const;
        await replaceFile(this.#files, this.path, Buffer.from(text), options);
      } catch (error) {
        throw asStateFileError(error, this.#directory, SETTINGS.directory);
      }
      this.#value = value;
      return value;
    });
    this.#changing = changed.catch(() => {});
    return changed;
  }
}

async function read<Value>(files: FileSystem, path: string, kept: Kept<Value>): Promise<Value> {
  let text: string;
  try {
    const { isFile, size } = await files.status(path);
    if (!isFile || size > MAX_SIZE) throw new Error(isFile ? `${size} bytes are too many` : 'it is not a file');
    text = (await files.read(path)).toString();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return kept.initial;
    const message = `cannot read ${path} (${reasonOf(error)}): make it readable, or move it away to begin anew`;
    throw new KeptStateError('unreadable', message, { cause: error });
  }
  return decode(text, path, kept);
}

function decode<Value>(text: string, path: string, kept: Kept<Value>): Value {
  try {
    const content = parse(text);
    if (typeof content !== 'object' || content === null || Array.isArray(content)) throw new Error('it is no object');
    const { version, ...rest } = content as Record<string, unknown>;
    if (typeof version === 'number' && version > kept.version) {
      const message = `${path} is of a newer version (${version}): use the tuntoxd that wrote it, or restore a backup`;
      throw new KeptStateError('newer', message);
    }
    if (version !== kept.version) throw new Error(`"version" is ${JSON.stringify(version)}`);
    return kept.decode(rest);
  } catch (error) {
    if (error instanceof KeptStateError) throw error;
    const what = error instanceof Error ? error.message : String(error);
    const message = `${path} is damaged (${what}): restore it from a backup, or move it away to begin anew`;
    throw new KeptStateError('corrupt', message, { cause: error });
  }
}

/** Node's own error would show some of the text, which may be a secret's hash, or another file where a link leads to one. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}
