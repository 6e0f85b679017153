/** What a server, a node or a client with -L does as a process that nobody watches: `-z`, `-F` and `-U`. */
import type { Logger } from '../../base/logger.js';
import type { LastingSettings } from '../../config/classic-settings.js';
import { lockFile } from '../../engine/file-lock.js';
import type { BackgroundSide } from '../../platform/background.js';
import { ownPidFile, type PidFile } from '../../platform/pid-file.js';
import { findUser } from '../../platform/privileges.js';

/** Where upstream keeps the identity of a server. */
export const USUAL_DIRECTORY = '/etc/tuntox';

interface Deps {
  readonly process: NodeJS.Process;
  readonly log: Logger;
  /** Undefined in the foreground. */
  readonly background: BackgroundSide | undefined;
}

export class Service {
  readonly #background: BackgroundSide | undefined;
  readonly #pidFile: PidFile | undefined;

  /** Before anything is opened: a wrong user or a second process ends it here. @throws PrivilegesError, PidFileError, FileLockError */
  constructor({ process, log, background }: Deps, { service: { user, pidFile } }: LastingSettings) {
    this.#background = background;
    // Of that user we are already (as-user).
    if (user !== undefined) log.info(`running as the user ${findUser(user, process).name}`);
    this.#pidFile = ownPidFile({ process, log }, pidFile, lockFile);
  }

  /** Everything works. Whoever started us goes on. */
  async ready(): Promise<void> {
    await this.#background?.ready();
  }

  end(): void {
    this.#pidFile?.remove();
  }
}
