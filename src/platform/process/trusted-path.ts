/** Whether a user may trust the content of a file: another one who can change it would gain the rights of this user. */
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;
/** In a sticky directory users can change only their own files. */
const STICKY = 0o1000;

/**
 * Returns the path itself, a link on its way, or a directory above, if users other than root and `owner` own it or can change it.
 * @param path absolute; it exists, and is no loop of links
 * @param owner who trusts the file, if not root
 * @throws system errors
 */
export function untrustedPart(path: string, owner = ROOT): string | undefined {
  const above = dirname(path);
  const part = above === path ? undefined : untrustedPart(above, owner);
  if (part !== undefined) return part;
  const status = lstatSync(path);
  if (status.uid !== ROOT && status.uid !== owner) return path;
  if (status.isSymbolicLink()) return untrustedPart(resolve(above, readlinkSync(path)), owner);
  const isWritable = (status.mode & WRITABLE_BY_OTHERS) !== 0;
  if (status.isDirectory()) return isWritable && (status.mode & STICKY) === 0 ? path : undefined;
  // A hard link of another user may name a file of root that is meant for something else.
  return isWritable || status.nlink > 1 ? path : undefined;
}
