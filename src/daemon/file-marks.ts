/** Whether files have changed since they were read: by what the file system says of them, which costs nothing. */
import { statSync } from 'node:fs';

export class FileMarks {
  #marks = new Map<string, string>();

  /** These files are read now. */
  take(paths: readonly string[]): void {
    this.#marks = new Map(paths.map((path) => [path, markOf(path)]));
  }

  /** Those that are not as they were. */
  get changed(): readonly string[] {
    return [...this.#marks].flatMap(([path, mark]) => (markOf(path) === mark ? [] : [path]));
  }
}

function markOf(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return 'none';
  }
}
