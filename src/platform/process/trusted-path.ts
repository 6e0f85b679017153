/** Whether root may trust what a file says: somebody else who could change it would be root through it. */
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;
/** In such a directory of root's everybody changes what is his own, and nothing else. */
const STICKY = 0o1000;

/**
 * @param path absolute; of something that is there, and no circle of links
 * @returns the path itself, a link on its way, or a directory above, which somebody else than root may have made or may change; undefined when there is none
 * @throws system errors
 */
export function foreignPart(path: string): string | undefined {
  const above = dirname(path);
  const part = above === path ? undefined : foreignPart(above);
  if (part !== undefined) return part;
  const status = lstatSync(path);
  if (status.uid !== ROOT) return path;
  if (status.isSymbolicLink()) return foreignPart(resolve(above, readlinkSync(path)));
  const isOthers = (status.mode & WRITABLE_BY_OTHERS) !== 0;
  if (status.isDirectory()) return isOthers && (status.mode & STICKY) === 0 ? path : undefined;
  // Where links to files of others may be made, it could be a file of root's for something else.
  return isOthers || status.nlink > 1 ? path : undefined;
}
