/** Whether journald reads what we say: only then lines begin with a priority. */
import { fstatSync } from 'node:fs';

/**
 * As systemd.exec(5) says: JOURNAL_STREAM holds device and inode of the stream that systemd gave us. A child that was given
 * another one inherits the variable too, so the two are compared.
 */
export function isReadByJournal(variable: string | undefined, fd: number): boolean {
  if (!variable) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return variable === `${dev}:${ino}`;
  } catch {
    // Closed: nobody reads it.
    return false;
  }
}
