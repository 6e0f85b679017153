/** The file with our Tox ID in plain text, for scripts (`-I`). */
import { promises } from 'node:fs';
import { CodedError, systemCodeOf } from '../../base/coded-error.js';
import { replaceFile } from '../../engine/state/durable-file.js';
import { nodeFileSystem } from '../../engine/state/file-system.js';
import { reasonOf } from '../../engine/state/state-file-error.js';

/** The message names the file. */
export class IdFileError extends CodedError<'not-writable'> {}

const FILE_MODE = 0o644;

/** @throws IdFileError */
export async function writeIdFile(path: string, id: string): Promise<void> {
  const text = Buffer.from(`${id}\n`);
  try {
    if (!(await mayReplace(path))) throw new Error('it is not a plain file');
    // The file may be in a directory such as /tmp, where any user can put a link to a file that only we may write.
    await replaceFile(nodeFileSystem, path, text, { mode: FILE_MODE, link: 'replaced' });
  } catch (error) {
    const message = `cannot write the Tox ID to ${path} (${reasonOf(error)}): name another file with -I`;
    throw new IdFileError('not-writable', message, { cause: error });
  }
}

async function mayReplace(path: string): Promise<boolean> {
  try {
    return (await promises.lstat(path)).isFile();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return true;
    throw error;
  }
}
