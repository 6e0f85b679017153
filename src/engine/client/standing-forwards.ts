/** The forwards that the daemon keeps up: stored beside its identity, opened with it, and there until they are removed. */

import { Listeners } from '../../base/listeners.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { Target } from '../../tunnel/wire/target.js';
import type { FileSystem } from '../state/file-system.js';
import { JsonFile } from '../state/json-file.js';
import type { StateDirectory } from '../state/state-file-error.js';
import {
  type ForwardEntry,
  ForwardError,
  findForward,
  forwardsFormat,
  isSameForward,
  type WantedForward,
  withForward,
} from './forward-entry.js';
import { type ForwardState, StandingForward, type StandingForwardDeps } from './standing-forward.js';

interface Deps extends StandingForwardDeps {
  readonly files: FileSystem;
  readonly ownKey: PublicKey;
}

export class StandingForwards {
  readonly #deps: Deps;
  readonly #file: JsonFile<readonly ForwardEntry[]>;
  readonly #forwards: StandingForward[] = [];
  readonly #removals = new Listeners<[]>();
  #isClosed = false;

  private constructor(deps: Deps, file: JsonFile<readonly ForwardEntry[]>) {
    this.#deps = deps;
    this.#file = file;
  }

  /** Never fails: while the file cannot be read, there are no forwards, and `error` has the reason. */
  static async open(deps: Deps, directory: StateDirectory): Promise<StandingForwards> {
    return new StandingForwards(deps, await JsonFile.open(deps.files, directory, forwardsFormat));
  }

  /** Why the stored forwards cannot be used. */
  get error(): string | undefined {
    return this.#file.error?.message;
  }

  /** Begins to open all stored forwards. */
  start(): void {
    for (const entry of this.#file.value) {
      const forward = new StandingForward(this.#deps, entry);
      this.#forwards.push(forward);
      void forward.keepListening();
    }
  }

  get all(): ForwardState[] {
    return this.#forwards.map(({ state }) => state);
  }

  /**
   * Returns the targets that all users of this machine reach by the local ports of the forwards to a server; undefined if there are no
   * forwards to it. A Unix socket is only for the user of the daemon.
   */
  targetsOf(server: PublicKey): readonly Target[] | undefined {
    const entries = this.#forwards
      .map(({ entry }) => entry)
      .filter((entry) => entry.server.id.publicKey.equals(server));
    return entries.length === 0
      ? undefined
      : entries.flatMap(({ spec }) => (spec.kind === 'local' && spec.at.kind === 'port' ? [spec.target] : []));
  }

  /** Calls back after each removal. */
  onRemoved(listener: () => void): void {
    this.#removals.add(listener);
  }

  /** How many wait for their port. */
  get waiting(): number {
    return this.#forwards.filter(({ isWaiting }) => isWaiting).length;
  }

  /** Checks whether a forward could be added, apart from its port. @throws ForwardError */
  check(entry: ForwardEntry): void {
    if (entry.server.id.publicKey.equals(this.#deps.ownKey)) {
      const message = 'this is the Tox ID of the daemon itself: use the one of the server';
      throw new ForwardError('own-id', message);
    }
    withForward(this.#file.value, entry);
  }

  /** Opens a forward, and stores it. @throws ForwardError, ListenError, JsonFileError, StateFileError; then nothing has changed */
  async add(entry: ForwardEntry): Promise<ForwardState> {
    this.check(entry);
    const forward = new StandingForward(this.#deps, entry);
    try {
      await forward.listen();
      await this.#file.change((forwards) => withForward(forwards, entry));
    } catch (error) {
      forward.abort();
      throw error;
    }
    if (this.#isClosed) forward.close();
    else this.#forwards.push(forward);
    return forward.state;
  }

  /** @throws ForwardError `not-found`, `ambiguous` */
  find(wanted: WantedForward): ForwardState {
    const entry = findForward(this.#file.value, wanted);
    return (this.#forwards.find((one) => one.entry === entry) as StandingForward).state;
  }

  /** Removes a forward, and closes its connections. @throws JsonFileError, StateFileError; then nothing has changed */
  async remove(entry: ForwardEntry): Promise<void> {
    await this.#file.change((forwards) => forwards.filter((one) => !isSameForward(one, entry)));
    const place = this.#forwards.findIndex((one) => isSameForward(one.entry, entry));
    const [forward] = place < 0 ? [] : this.#forwards.splice(place, 1);
    forward?.abort();
    this.#removals.tell();
  }

  /** Stops listening; the engine ends the connections. */
  close(): void {
    this.#isClosed = true;
    for (const forward of this.#forwards) forward.close();
  }
}
