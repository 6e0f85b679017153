/** Our Tox ID in plain text, for scripts (`-I`). */
import { CodedError } from '../base/coded-error.js';
import { replaceFile } from './durable-file.js';
import { nodeFileSystem } from './file-system.js';
import { reasonOf } from './state-file-error.js';

/** The message names the file. */
export class IdFileError extends CodedError<'not-writable'> {}

const FILE_MODE = 0o644;

/** @throws IdFileError */
export async function writeIdFile(path: string, id: string): Promise<void> {
  try {
    await replaceFile(nodeFileSystem, path, Buffer.from(`${id}\n`), FILE_MODE);
  } catch (error) {
    const message = `cannot write the Tox ID to ${path} (${reasonOf(error)}): name another file with -I`;
    throw new IdFileError('not-writable', message, { cause: error });
  }
}
