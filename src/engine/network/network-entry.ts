/** The bootstrap of our peer: asks the given nodes until one has answered, and again after the network was lost. */
import { Backoff } from '../../base/backoff.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { BootstrapAddress } from '../../tox/tox.js';

/** ms until all bootstrap nodes are asked again while none has answered, or after the network was lost. */
const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 15_000;

export interface NetworkEntryDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly tox: { readonly isOnline: boolean; bootstrap(node: BootstrapAddress): void };
}

export class NetworkEntry {
  readonly #deps: NetworkEntryDeps;
  readonly #nodes: readonly BootstrapAddress[];
  readonly #retries: Backoff;
  #timer: Timer | undefined;

  constructor(deps: NetworkEntryDeps, nodes: readonly BootstrapAddress[]) {
    this.#deps = deps;
    this.#nodes = nodes;
    this.#retries = new Backoff(deps.random, { first: FIRST_RETRY, most: LONGEST_RETRY });
  }

  /** False: only the local network and nodes of an earlier run are used. */
  get hasNodes(): boolean {
    return this.#nodes.length > 0;
  }

  /** Asks all nodes at once, so that dead ones cost nothing; and again, with their names looked up again, until one has answered. */
  ask(): void {
    const { clock, tox } = this.#deps;
    this.close();
    for (const node of this.#nodes) tox.bootstrap(node);
    this.#timer = clock.after(this.#retries.next(), () => {
      if (!tox.isOnline) this.ask();
    });
  }

  /** A node has answered, or no node answers any more. */
  onOnlineChange(isOnline: boolean): void {
    this.close();
    if (isOnline) this.#retries.reset();
    else this.ask();
  }

  /** Stops. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
