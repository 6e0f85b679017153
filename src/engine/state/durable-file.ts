/** Replaces a file so that at any moment, also after a power cut, either the whole old or the whole new content is there. */
import { dirname } from 'node:path';
import { systemCodeOf } from '../../base/coded-error.js';
import type { FileSystem, OpenFile } from './file-system.js';

/**
 * Writes a temporary file beside `path`, brings it to the disk, and puts it in place of `path`.
 * @param options.mode permissions of the new file
 * @param options.link whether a link at `path` is followed, so that what it points to is replaced, or is replaced itself, because
 *   another user may have put it there
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
    const file = await recreate(files, temporary, mode);
    try {
      await file.write(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, target);
  } catch (error) {
    // The first error is reported, whether or not the cleanup fails too.
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

/** Creates a file in place of one that a killed process has left; a link that another user put there is not followed. */
async function recreate(files: FileSystem, path: string, mode: number): Promise<OpenFile> {
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
