/** Whether this user, as it is now, may make files in a directory and take them away. */
import { accessSync, constants } from 'node:fs';

export function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
