/** Giving files of root's to the user that is to go on with them. */
import { closeSync, constants, fchownSync, fstatSync, lstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { User } from './privileges.js';

const ROOT = 0;

/** What root has made in a directory that is the user's; nothing when it is somebody else's. */
export function giveFilesIn(directory: string, user: User): void {
  if (lstatSync(directory).uid !== user.uid) return;
  for (const name of readdirSync(directory)) give(join(directory, name), user);
}

/**
 * Plain files of root's that have no other name, which could be somebody else's file. By the descriptor, for whoever owns the
 * directory may put another file there at any moment.
 */
function give(path: string, { uid, gid }: User): void {
  if (!lstatSync(path).isFile()) return;
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = fstatSync(fd);
    if (status.isFile() && status.nlink === 1 && status.uid === ROOT) fchownSync(fd, uid, gid);
  } finally {
    closeSync(fd);
  }
}
