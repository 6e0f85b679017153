/** The real file system with a disaster at one of its operations: an error, or the end of the process. */
import { type FileSystem, nodeFileSystem, type OpenFile } from '../../src/engine/state/file-system.js';

export interface Disaster {
  /** Which operation fails, from 0; opening, writing and so on each count. */
  readonly at: number;
  readonly error: Error;
  /** Whether nothing works after it either, as when the process was killed. */
  readonly isFinal: boolean;
}

/** An error as the system makes it. */
export const systemError = (code: string): Error => Object.assign(new Error(`${code}: simulated`), { code });

export class FailingFileSystem implements FileSystem {
  readonly #disaster: Disaster;
  /** Operations so far, with those that failed. */
  count = 0;

  constructor(disaster: Disaster) {
    this.#disaster = disaster;
  }

  makeDirectory: FileSystem['makeDirectory'] = (...args) => this.#run(() => nodeFileSystem.makeDirectory(...args));
  status: FileSystem['status'] = (...args) => this.#run(() => nodeFileSystem.status(...args));
  realPath: FileSystem['realPath'] = (...args) => this.#run(() => nodeFileSystem.realPath(...args));
  read: FileSystem['read'] = (...args) => this.#run(() => nodeFileSystem.read(...args));
  rename: FileSystem['rename'] = (...args) => this.#run(() => nodeFileSystem.rename(...args));
  remove: FileSystem['remove'] = (...args) => this.#run(() => nodeFileSystem.remove(...args));
  createNew: FileSystem['createNew'] = (...args) => this.#open(() => nodeFileSystem.createNew(...args));
  openOrCreate: FileSystem['openOrCreate'] = (...args) => this.#open(() => nodeFileSystem.openOrCreate(...args));
  openToRead: FileSystem['openToRead'] = (...args) => this.#open(() => nodeFileSystem.openToRead(...args));

  async #open(open: () => Promise<OpenFile>): Promise<OpenFile> {
    const file = await this.#run(open);
    return {
      fd: file.fd,
      // A disk that fills up, or a process that ends, leaves the first half behind.
      write: (bytes) =>
        this.#run(
          () => file.write(bytes),
          () => file.write(bytes.subarray(0, bytes.length >> 1)),
        ),
      sync: () => this.#run(() => file.sync()),
      close: () => file.close(),
    };
  }

  async #run<Result>(action: () => Promise<Result>, half?: () => Promise<void>): Promise<Result> {
    const index = this.count++;
    if (index === this.#disaster.at) await half?.();
    if (index === this.#disaster.at || (this.#disaster.isFinal && index > this.#disaster.at))
      throw this.#disaster.error;
    return action();
  }
}
