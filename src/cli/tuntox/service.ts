/** What a server or a node does as a process that nobody watches: `-z`, `-F` and `-U`, in the order in which they have to come. */
import { existsSync, lchownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inheritedAt } from '../../base/inheritance.js';
import type { Logger } from '../../base/logger.js';
import type { NodeSettings, ServerSettings } from '../../config/classic-settings.js';
import { lockFile } from '../../engine/file-lock.js';
import type { BackgroundSide } from '../../platform/background.js';
import { PidFile } from '../../platform/pid-file.js';
import { becomeUser, findUser, privilegesOf, type User } from '../../platform/privileges.js';
import { isWritable } from '../../platform/writable.js';

/** Where upstream keeps the identity of a server. */
export const USUAL_DIRECTORY = '/etc/tuntox';

interface Deps {
  readonly process: NodeJS.Process;
  readonly log: Logger;
  /** Undefined in the foreground. */
  readonly background: BackgroundSide | undefined;
}

export class Service {
  readonly #deps: Deps;
  readonly #directory: string;
  readonly #isDirectoryNew: boolean;
  /** Root looks into it for us. */
  readonly #isDirectoryInherited: boolean;
  readonly #user: User | undefined;
  readonly #pidFile: PidFile | undefined;

  /** Before anything is opened: a wrong user or a second process ends it here. @throws PrivilegesError, PidFileError, FileLockError */
  constructor(deps: Deps, { directory = USUAL_DIRECTORY, service }: ServerSettings | NodeSettings) {
    const { process } = deps;
    this.#deps = deps;
    this.#directory = directory;
    this.#isDirectoryNew = !existsSync(directory);
    this.#isDirectoryInherited = inheritedAt(directory) !== undefined;
    this.#user = service.user === undefined ? undefined : findUser(service.user, privilegesOf(process));
    this.#pidFile = service.pidFile === undefined ? undefined : PidFile.create(service.pidFile, process.pid, lockFile);
  }

  /** Once ports and files are open, and before anybody is let in. @throws PrivilegesError */
  becomeUser(): void {
    const user = this.#user;
    if (user === undefined) return;
    const { log, process } = this.#deps;
    // Afterwards it may lie where the user cannot even look.
    const isKept = this.#isDirectoryInherited || existsSync(this.#directory);
    if (process.geteuid?.() === 0 && this.#isDirectoryNew && isKept) this.#handOver(user);
    becomeUser(user, privilegesOf(process));
    log.info(`running as the user ${user.name}`);
    if (isKept && !isWritable(this.#directory)) {
      const what = `the user ${user.name} cannot write in ${this.#directory}, so what is learned of the network is not kept`;
      log.warn(`${what}: run chown -R ${user.name} ${this.#directory}`);
    }
  }

  /** Everything works. Whoever started us goes on. */
  async ready(): Promise<void> {
    await this.#deps.background?.ready();
  }

  end(): void {
    this.#pidFile?.remove();
  }

  /** A directory that we made ourselves, with mode 0700 and our files in it alone, so that nothing else changes its owner. */
  #handOver({ uid, gid }: User): void {
    for (const name of readdirSync(this.#directory)) lchownSync(join(this.#directory, name), uid, gid);
    lchownSync(this.#directory, uid, gid);
  }
}
