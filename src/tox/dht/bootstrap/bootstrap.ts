/** Enters the network: through bootstrap nodes, and through nodes of an earlier run. */
import type { Clock } from '../../../base/clock.js';
import type { Random } from '../../../base/random.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NodeInfo } from '../../packet/node-info.js';
import { BootstrapNodes } from './bootstrap-nodes.js';
import { SavedNodes } from './saved-nodes.js';

export interface BootstrapDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Asks a node for nodes near to us. */
  readonly ask: (node: NodeInfo) => void;
  readonly isConnected: () => boolean;
  /** Whether we know nodes outside of our local network. */
  readonly isBeyondLan: () => boolean;
}

export class Bootstrap {
  readonly #deps: BootstrapDeps;
  readonly #ownKey: PublicKey;
  readonly #nodes: BootstrapNodes;
  readonly #saved: SavedNodes;
  #isRunning = false;

  constructor(deps: BootstrapDeps, options: { readonly ownKey: PublicKey }) {
    this.#deps = deps;
    this.#ownKey = options.ownKey;
    this.#nodes = new BootstrapNodes(deps);
    this.#saved = new SavedNodes(deps.ask);
  }

  /** Starts to ask the nodes of an earlier run. */
  start(): void {
    this.#isRunning = true;
    this.tick(this.#deps.clock.now());
  }

  stop(): void {
    this.#isRunning = false;
    this.#nodes.stop();
  }

  /** Asks this node until it answers, and again when no node answers any more. */
  addNode(node: NodeInfo): void {
    if (!node.publicKey.equals(this.#ownKey)) this.#nodes.add(node);
  }

  /** Adds nodes of an earlier run. Eight of them a second are tried while we are not connected. */
  addSavedNodes(nodes: readonly NodeInfo[]): void {
    this.#saved.add(nodes.filter((node) => !node.publicKey.equals(this.#ownKey)));
    if (this.#isRunning) this.tick(this.#deps.clock.now());
  }

  /** The node has answered. */
  answered(node: NodeInfo): void {
    this.#nodes.answered(node);
  }

  /** No node answers any more: asks all bootstrap nodes again. */
  noteLost(): void {
    this.#nodes.restart();
  }

  /** Asks bootstrap nodes and saved nodes again, from the beginning. */
  refresh(): void {
    this.#nodes.restart();
    this.#saved.restart();
  }

  /** Once a second. */
  tick(now: number): void {
    this.#saved.tick(now, this.#deps.isConnected() && this.#deps.isBeyondLan());
  }

  /** The number of bootstrap nodes, and how many of them answered. */
  get counts(): { readonly known: number; readonly answering: number } {
    return this.#nodes.counts;
  }
}
