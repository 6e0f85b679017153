/**
 * A small file of state beside `tox_save`: JSON with a version, private, replaced as a whole. A value counts once it is on the
 * disk; the lock of `tox_save` keeps other processes out.
 */
import { join } from 'node:path';
import { CodedError, messageOf, systemCodeOf } from '../../base/coded-error.js';
import { replaceFile } from './durable-file.js';
import type { FileSystem } from './file-system.js';
import { asStateFileError, reasonOf, type StateDirectory } from './state-file-error.js';

/** The message names the file and says what to do. */
export class JsonFileError extends CodedError<'unreadable' | 'corrupt' | 'newer' | 'not-writable'> {}

const FILE_MODE = 0o600;
/** Bytes; ten thousand entries of a whitelist fit. */
const MAX_SIZE = 8 * 1024 * 1024;

export interface JsonFormat<Value> {
  /** The name of the file. */
  readonly name: string;
  readonly version: number;
  /** The oldest version that `decode` reads, too; default: only this one. */
  readonly oldest?: number;
  /** The value while there is no file. */
  readonly initial: Value;
  /** The value while the file cannot be used; default: `initial`. */
  readonly unusable?: Value;
  /** @throws Error that says what is wrong */
  decode(content: Record<string, unknown>): Value;
  encode(value: Value): Record<string, unknown>;
}

export class JsonFile<Value> {
  readonly #files: FileSystem;
  readonly #directory: StateDirectory;
  readonly #format: JsonFormat<Value>;
  #value: Value;
  /** Why the file cannot be used; it stays as it is. */
  readonly error: JsonFileError | undefined;
  /** The end of the last change: each change begins with what the one before it left. */
  #changing: Promise<unknown> = Promise.resolve();

  private constructor(
    files: FileSystem,
    directory: StateDirectory,
    format: JsonFormat<Value>,
    read: { readonly value: Value; readonly error?: JsonFileError },
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#format = format;
    this.#value = read.value;
    this.error = read.error;
  }

  /** Never fails: see `error`. */
  static async open<Value>(
    files: FileSystem,
    directory: StateDirectory,
    format: JsonFormat<Value>,
  ): Promise<JsonFile<Value>> {
    try {
      const value = await read(files, join(directory.path, format.name), format);
      return new JsonFile(files, directory, format, { value });
    } catch (error) {
      if (!(error instanceof JsonFileError)) throw error;
      return new JsonFile(files, directory, format, { value: format.unusable ?? format.initial, error });
    }
  }

  get value(): Value {
    return this.#value;
  }

  /**
   * Changes the value, durably. Changes wait for each other.
   * @param change makes the new value from the old one; what it throws is thrown here, and nothing has changed
   * @throws JsonFileError when the file cannot be used, or could not be read again (`not-writable`); StateFileError when the value could
   *   not be saved. The old value is still there then, in memory and on the disk
   */
  async change(change: (old: Value) => Value): Promise<void> {
    if (this.error !== undefined) throw this.error;
    const changed = this.#changing.then(async () => {
      const value = change(this.#value);
      if (value !== this.#value) await this.#save(value);
      this.#value = value;
    });
    this.#changing = changed.catch(() => {});
    return changed;
  }

  async #save(value: Value): Promise<void> {
    const { name, version, encode } = this.#format;
    const text = `${JSON.stringify({ version, ...encode(value) }, undefined, 2)}\n`;
    const path = join(this.#directory.path, name);
    checkReadable(text, path, this.#format);
    try {
      await replaceFile(this.#files, path, Buffer.from(text), { mode: FILE_MODE, link: 'followed' });
    } catch (error) {
      throw asStateFileError(error, this.#directory);
    }
  }
}

/** A file that the next start cannot read would shut all clients out. @throws JsonFileError `not-writable` */
function checkReadable<Value>(text: string, path: string, format: JsonFormat<Value>): void {
  try {
    checkSize(Buffer.byteLength(text));
    const { version: _, ...content } = JSON.parse(text);
    format.decode(content);
  } catch (error) {
    const message = `this cannot be stored in ${path} (${messageOf(error)}), so nothing has changed`;
    throw new JsonFileError('not-writable', message, { cause: error });
  }
}

/** @throws Error */
function checkSize(size: number): void {
  if (size > MAX_SIZE) throw new Error(`${size} bytes are too many`);
}

/** @throws JsonFileError */
async function read<Value>(files: FileSystem, path: string, format: JsonFormat<Value>): Promise<Value> {
  let text: string;
  try {
    const { isFile, size } = await files.status(path);
    if (!isFile) throw new Error('it is not a file');
    checkSize(size);
    text = (await files.read(path)).toString();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return format.initial;
    const message = `cannot read ${path} (${reasonOf(error)}): make it readable, or move it away to start again without it`;
    throw new JsonFileError('unreadable', message, { cause: error });
  }
  return decode(text, path, format);
}

function decode<Value>(text: string, path: string, format: JsonFormat<Value>): Value {
  try {
    const content = parse(text);
    if (typeof content !== 'object' || content === null || Array.isArray(content))
      throw new Error('it is not an object');
    const { version, ...rest } = content as Record<string, unknown>;
    if (typeof version === 'number' && version > format.version) {
      const message = `${path} has a newer version (${version}): use the tuntoxd that wrote it, or restore a backup`;
      throw new JsonFileError('newer', message);
    }
    const isKnown = Number.isInteger(version) && (version as number) >= (format.oldest ?? format.version);
    if (!isKnown) throw new Error(`"version" is ${JSON.stringify(version)}`);
    return format.decode(rest);
  } catch (error) {
    if (error instanceof JsonFileError) throw error;
    const what = error instanceof Error ? error.message : String(error);
    const message = `${path} is damaged (${what}): restore it from a backup, or move it away to start again without it`;
    throw new JsonFileError('corrupt', message, { cause: error });
  }
}

/** Node's own error would show some of the text, which may be the hash of a secret, or another file where a link leads to one. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}
