/** Replacing a file so that at any moment, also after a power cut, either the old or the new content is there, whole. */
import { dirname } from 'node:path';
import { systemCodeOf } from '../../base/coded-error.js';
import type { FileSystem, OpenFile } from './file-system.js';

/**
 * Writes a temporary file beside `path`, brings it to the disk, and puts it in place of `path`.
 * @param options.mode permissions of the new file
 * @param options.link what becomes of a link at `path`: it is followed, so that what it points to is replaced, or it is
 *   replaced itself, as one that a stranger may have put there
 * @throws what the file system throws; `path` is then as it was
 */
export async function replaceFile(
  files: FileSystem,
  path: string,
  bytes: Buffer,
  { mode, link }: { readonly mode: number; readonly link: 'followed' | 'replaced' },
): Promise<void> {
  const target = link === 'followed' ? await behindLinks(files, path) : path;
  const temporary = `${target}.tmp`;
  try {
    const file = await createAnew(files, temporary, mode);
    try {
      await file.write(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, target);
  } catch (error) {
    // The first error is the one to report, whatever becomes of the clearing up.
    await files.remove(temporary).catch(() => {});
    throw error;
  }
  const directory = await files.openToRead(dirname(target));
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** In place of what is left of a process that was killed here; a link planted there is not written through. */
async function createAnew(files: FileSystem, path: string, mode: number): Promise<OpenFile> {
  try {
    return await files.createNew(path, mode);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
    await files.remove(path);
    return files.createNew(path, mode);
  }
}

async function behindLinks(files: FileSystem, path: string): Promise<string> {
  try {
    return await files.realPath(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return path;
    throw error;
  }
}
