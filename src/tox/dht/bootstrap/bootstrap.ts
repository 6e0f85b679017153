/** How we come into the network: through the nodes that we were told, and through those of an earlier run. */
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
  /** Whether we know nodes that are not of our local network. */
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

  /** Begins with the nodes of an earlier run. */
  start(): void {
    this.#isRunning = true;
    this.tick(this.#deps.clock.now());
  }

  stop(): void {
    this.#isRunning = false;
    this.#nodes.stop();
  }

  /** Asks this node now, until it answers, and again when all is lost. */
  addNode(node: NodeInfo): void {
    if (!node.publicKey.equals(this.#ownKey)) this.#nodes.add(node);
  }

  /** Nodes of an earlier run, to be tried eight a second while we are not connected. */
  addSavedNodes(nodes: readonly NodeInfo[]): void {
    this.#saved.add(nodes.filter((node) => !node.publicKey.equals(this.#ownKey)));
    if (this.#isRunning) this.tick(this.#deps.clock.now());
  }

  /** The node has answered. */
  answered(node: NodeInfo): void {
    this.#nodes.answered(node);
  }

  /** Everybody is lost. */
  noteLost(): void {
    this.#nodes.restart();
  }

  /** What is known may be wrong: asks all of them anew. */
  refresh(): void {
    this.#nodes.restart();
    this.#saved.restart();
  }

  /** Once a second. */
  tick(now: number): void {
    this.#saved.tick(now, this.#deps.isConnected() && this.#deps.isBeyondLan());
  }

  /** Nodes that we were told, and how many of them answered. */
  get counts(): { readonly known: number; readonly answering: number } {
    return this.#nodes.counts;
  }
}
