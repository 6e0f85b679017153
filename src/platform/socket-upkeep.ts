/**
 * Checks periodically whether the sockets of this process, and the links to them, still exist: a program that cleans /run may have
 * deleted them, and without them a daemon can only be restarted, which costs all tunnels.
 */
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';

/** ms between two checks, each of a microsecond or two. */
const INTERVAL = 10_000;

export interface KeptPath {
  readonly path: string;
  /** Creates it again if it was deleted. @returns whether it did @throws IpcError */
  restore(): Promise<boolean> | boolean;
}

export class SocketUpkeep {
  readonly #log: Logger;
  readonly #kept: readonly KeptPath[];
  readonly #timer: Timer;
  /** Those that could not be created again, which is logged once. */
  readonly #missing = new Set<KeptPath>();
  #checking: Promise<void> | undefined;

  constructor(deps: { readonly clock: Clock; readonly log: Logger }, kept: readonly KeptPath[]) {
    this.#log = deps.log;
    this.#kept = kept;
    this.#timer = deps.clock.every(INTERVAL, () => void this.check());
  }

  /** Checks now. Never rejects. */
  check(): Promise<void> {
    this.#checking ??= this.#checkAll().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  stop(): void {
    this.#timer.cancel();
  }

  async #checkAll(): Promise<void> {
    for (const kept of this.#kept) {
      try {
        if (await kept.restore()) this.#log.warn(`${kept.path} was deleted, and has been created again`);
        else if (!this.#missing.has(kept)) continue;
        this.#missing.delete(kept);
      } catch (error) {
        const what = `${kept.path} was deleted, and cannot be created again: ${messageOf(error)}`;
        if (!this.#missing.has(kept)) this.#log.error(`${what}; another try follows every 10 s`);
        this.#missing.add(kept);
      }
    }
  }
}
