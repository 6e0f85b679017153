/** Logs which clients the daemon admits and which targets they may reach, whenever that changes. */
import type { Logger } from '../base/logger.js';
import type { AccessControl } from '../engine/access/access-control.js';
import type { AccessPolicy } from '../engine/access/access-policy.js';
import type { TargetPolicy } from '../engine/server/target-policy.js';

interface Deps {
  readonly log: Logger;
  readonly access: Pick<AccessControl, 'entries' | 'hasWhitelist' | 'require' | 'secret'>;
  readonly policy: Pick<AccessPolicy, 'isClosed' | 'isOpen'>;
  readonly targets: Pick<TargetPolicy, 'error' | 'file' | 'isAny'>;
}

export class AccessSummary {
  readonly #deps: Deps;
  #logged = '';

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  log(): void {
    const text = `admitting ${this.#clients()}; clients may reach ${this.#targets()}`;
    if (text !== this.#logged) this.#deps.log.info(text);
    this.#logged = text;
  }

  #clients(): string {
    const { access, policy } = this.#deps;
    if (policy.isOpen) return 'every client that knows the Tox ID';
    if (policy.isClosed) return 'no client yet';
    const { length } = access.entries;
    const listed = `the clients on the whitelist (${length})`;
    if (access.secret === undefined) return access.hasWhitelist ? listed : 'the clients that have an invitation';
    if (!access.hasWhitelist) return 'every client that has the secret';
    return access.require === 'all'
      ? `${listed} if they have the secret`
      : `${listed}, and every client that has the secret`;
  }

  #targets(): string {
    const { error, file, isAny } = this.#deps.targets;
    if (file === undefined && !isAny) return 'the services';
    if (file === undefined) return 'everything that this machine reaches, including itself';
    return error === undefined ? `what ${file} allows` : `nothing, because ${file} cannot be used`;
  }
}
