/** What the log says of a daemon that serves: whom it lets in, and what it lets them reach. */
import type { Logger } from '../base/logger.js';
import type { AccessControl } from '../engine/access/access-control.js';
import type { AccessPolicy } from '../engine/access/access-policy.js';
import type { TargetPolicy } from '../engine/server/target-policy.js';

interface Deps {
  readonly log: Logger;
  readonly access: Pick<AccessControl, 'entries' | 'hasWhitelist' | 'require' | 'secret'>;
  readonly policy: Pick<AccessPolicy, 'isClosed' | 'isOpen'>;
  readonly targets: Pick<TargetPolicy, 'fault' | 'file'>;
}

export class ServingNews {
  readonly #deps: Deps;
  #told = '';

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Once for each state of things. */
  tell(): void {
    const text = `serving ${this.#whom()}, who may reach ${this.#what()}`;
    if (text !== this.#told) this.#deps.log.info(text);
    this.#told = text;
  }

  #whom(): string {
    const { access, policy } = this.#deps;
    if (policy.isOpen) return 'everybody who knows the Tox ID';
    if (policy.isClosed) return 'nobody yet';
    const { length } = access.entries;
    const listed = `clients of the whitelist (${length} ${length === 1 ? 'entry' : 'entries'})`;
    if (access.secret === undefined) return listed;
    if (!access.hasWhitelist) return 'whoever has the secret';
    return access.require === 'all' ? `${listed} that have the secret` : `${listed} and whoever has the secret`;
  }

  #what(): string {
    const { fault, file } = this.#deps.targets;
    if (file === undefined) return 'all that this machine reaches, itself included';
    return fault === undefined ? `what ${file} allows` : `nothing, as ${file} cannot be used`;
  }
}
