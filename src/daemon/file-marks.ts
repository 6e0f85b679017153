/** Whether files have changed since they were read: by what the file system says of them, which costs nothing. */
import { statSync } from 'node:fs';

export class FileMarks {
  #marks = new Map<string, string>();

  /** These files are read now. */
  take(paths: readonly string[]): void {
    this.#marks = new Map(paths.map((path) => [path, markOf(path)]));
  }

  get haveChanged(): boolean {
    return [...this.#marks].some(([path, mark]) => markOf(path) !== mark);
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
