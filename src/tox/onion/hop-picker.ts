/** Which nodes a new path goes through: three different ones where there are, and rather those that did not fail before. */
import { LruMap } from '../../base/lru-map.js';
import type { Random } from '../../base/random.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { Hops } from './onion-path.js';

/** Implementation: nodes of whose failures we know; more than the DHT has good nodes near us. */
const REMEMBERED = 256;

export class HopPicker {
  readonly #random: Random;
  readonly #nodes: () => readonly NodeInfo[];
  /** Paths through the node that never worked, since one did. */
  readonly #failures = new LruMap<string, number>(REMEMBERED);

  constructor(deps: { readonly random: Random; readonly nodes: () => readonly NodeInfo[] }) {
    this.#random = deps.random;
    this.#nodes = deps.nodes;
  }

  /** True when a path need not repeat nodes. */
  get hasPlenty(): boolean {
    return this.#nodes().length >= 3;
  }

  pick(): Hops | undefined {
    const nodes = [...this.#nodes()];
    const first = this.#take(nodes);
    if (first === undefined) return undefined;
    const second = this.#take(nodes) ?? first;
    // With two nodes the path goes there and back: a node behind a NAT may be unable to reach itself.
    const third = this.#take(nodes) ?? first;
    return [first, second, third];
  }

  noteSuccess(hops: Hops): void {
    for (const hop of hops) this.#failures.delete(hop.publicKey.hex);
  }

  noteFailure(hops: Hops): void {
    for (const hop of new Set(hops)) {
      this.#failures.set(hop.publicKey.hex, (this.#failures.get(hop.publicKey.hex) ?? 0) + 1);
    }
  }

  /** Of two drawn at random the one that failed less often: avoids the broken without settling on a few. */
  #take(nodes: NodeInfo[]): NodeInfo | undefined {
    if (nodes.length === 0) return undefined;
    const one = this.#random.below(nodes.length);
    const other = this.#random.below(nodes.length);
    const index = this.#failuresOf(nodes[one]) <= this.#failuresOf(nodes[other]) ? one : other;
    return nodes.splice(index, 1)[0];
  }

  #failuresOf(node: NodeInfo | undefined): number {
    return (node && this.#failures.get(node.publicKey.hex)) ?? 0;
  }
}
