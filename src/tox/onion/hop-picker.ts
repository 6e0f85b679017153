/**
 * Which nodes a new path goes through: three different ones where there are, and rather those that have lasted and did not
 * fail before, in an order in which each can reach the next. A path through a node that has gone loses what friends send to
 * us until we announce ourselves anew.
 */
import type { Clock } from '../../base/clock.js';
import { LruMap } from '../../base/lru-map.js';
import { pick, type Random } from '../../base/random.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { EntryNode, Hops } from './onion-path.js';
import type { NodeHealth } from './path-nodes.js';
import { Scope, scopeOf } from './scope.js';

/** Nodes of whose failures we know; more than the DHT has good nodes near us. */
const REMEMBERED = 256;
/** As many as a close list can hold. */
const MAX_SEEN = 1024;
/** Implementation, ms: the DHT believes for 122 s in a node that has gone; who was seen before that has lasted. */
const LASTING = 125_000;
/** Implementation, ms after the first node: then the nodes of the first minute have lasted, and these are enough, however few. */
const SETTLED = 180_000;
/** Hops of a path. */
const ENOUGH = 3;

export class HopPicker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #nodes: () => readonly NodeInfo[];
  readonly #relays: () => readonly NodeInfo[];
  readonly #health: NodeHealth | undefined;
  /** When a node was seen first, ms of the clock. */
  readonly #seenAt = new LruMap<string, number>(MAX_SEEN);
  /** Paths through the node that never worked, since one did. */
  readonly #failures = new LruMap<string, number>(REMEMBERED);

  /** @param deps.relays TCP relays to begin with, as long as there are any; none where UDP works */
  constructor(deps: {
    readonly clock: Clock;
    readonly random: Random;
    readonly nodes: () => readonly NodeInfo[];
    readonly relays?: () => readonly NodeInfo[];
    readonly health?: NodeHealth | undefined;
  }) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#nodes = deps.nodes;
    this.#relays = deps.relays ?? (() => []);
    this.#health = deps.health;
  }

  /** Whether any node has an address that is no wider. */
  hasAny(scope: Scope): boolean {
    return this.#candidates(scope).length > 0;
  }

  /** True when a path need not repeat nodes. */
  hasPlenty(scope: Scope): boolean {
    return this.#candidates(scope).length >= ENOUGH;
  }

  /** @param scope the widest one of the hops' addresses */
  pick(scope: Scope = Scope.World): Hops | undefined {
    const relays = this.#relays();
    const relay = relays.length > 0 ? pick(this.#random, relays) : undefined;
    const nodes = this.#behind(relay, this.#candidates(scope));
    const first = this.#take(nodes);
    if (first === undefined) return undefined;
    const second = this.#take(nodes) ?? first;
    const [narrow, wide] = scopeOf(first.endpoint) <= scopeOf(second.endpoint) ? [first, second] : [second, first];
    if (relay !== undefined) return [{ ...relay, transport: 'tcp' }, narrow, wide];
    const third = this.#take(nodes);
    if (third !== undefined) return inOrder([first, second, third]);
    // Two nodes: there and back, for a node behind a NAT may be unable to reach itself; by a local address it is able to.
    return scopeOf(narrow.endpoint) < scopeOf(wide.endpoint) ? [narrow, narrow, wide] : [first, second, first];
  }

  noteSuccess(hops: Hops): void {
    for (const hop of hops) this.#failures.delete(hop.publicKey.hex);
  }

  noteFailure(hops: Hops): void {
    for (const hop of new Set(hops)) {
      this.#failures.set(hop.publicKey.hex, (this.#failures.get(hop.publicKey.hex) ?? 0) + 1);
    }
  }

  /** The path seems not to work: any of its nodes may be gone. */
  suspect(hops: Hops): void {
    for (const hop of new Set<EntryNode>(hops)) if (hop.transport !== 'tcp') this.#health?.check(hop);
  }

  /** Whether one of them does not answer any more. */
  isBroken(hops: Hops): boolean {
    return hops.some((hop) => this.#health?.isSuspect(hop.publicKey) === true);
  }

  /** Nodes that a relay is able to reach, if there are any. */
  #behind(relay: NodeInfo | undefined, nodes: readonly NodeInfo[]): NodeInfo[] {
    if (relay === undefined) return [...nodes];
    const reached = nodes.filter(({ endpoint }) => scopeOf(endpoint) >= scopeOf(relay.endpoint));
    return reached.length > 0 ? reached : [...nodes];
  }

  #candidates(scope: Scope): readonly NodeInfo[] {
    const now = this.#clock.now();
    const nodes = firstOfEach(this.#nodes(), scope);
    const ages = nodes.map((node) => now - this.#firstSeen(node, now));
    const lasting = nodes.filter((_node, index) => (ages[index] as number) >= LASTING);
    return lasting.length >= ENOUGH || ages.some((age) => age >= SETTLED) ? lasting : nodes;
  }

  #firstSeen({ publicKey }: NodeInfo, now: number): number {
    const known = this.#seenAt.get(publicKey.hex);
    if (known === undefined) this.#seenAt.set(publicKey.hex, now);
    return known ?? now;
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

/** Narrow addresses in front, else as drawn. */
const inOrder = (hops: Hops): Hops =>
  [...hops].sort((a, b) => scopeOf(a.endpoint) - scopeOf(b.endpoint)) as unknown as Hops;

/** A node with several addresses comes with the first of those that are no wider. */
function firstOfEach(nodes: readonly NodeInfo[], scope: Scope): NodeInfo[] {
  const found = new Map<string, NodeInfo>();
  for (const node of nodes) {
    const { hex } = node.publicKey;
    if (!found.has(hex) && scopeOf(node.endpoint) <= scope) found.set(hex, node);
  }
  return [...found.values()];
}
