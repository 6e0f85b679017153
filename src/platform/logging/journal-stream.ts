/** Whether journald reads a stream: only then lines begin with a priority. */
import { fstatSync } from 'node:fs';

/**
 * Compares the stream with the device and inode in JOURNAL_STREAM (systemd.exec(5)), because a child with another stream inherits the
 * variable too.
 */
export function isReadByJournal(variable: string | undefined, fd: number): boolean {
  if (!variable) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return variable === `${dev}:${ino}`;
  } catch {
    // The descriptor is closed.
    return false;
  }
}
