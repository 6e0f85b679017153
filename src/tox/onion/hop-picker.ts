/**
 * Chooses the nodes of a new path: three different ones if there are so many, preferably nodes that have lasted and have not failed
 * before, in an order in which each can reach the next. A path through a node that is gone loses what friends send to us until we
 * are announced again.
 */
import type { Clock } from '../../base/clock.js';
import { LruMap } from '../../base/lru-map.js';
import { pick, type Random } from '../../base/random.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { EntryNode, Hops } from './onion-path.js';
import { Scope, scopeOf } from './scope.js';

/** Nodes whose failures are counted; more than the DHT has good nodes near us. */
const REMEMBERED = 256;
/** The size of a close list. */
const MAX_SEEN = 1024;
/** ms. The DHT counts a dead node as good for up to 122 s; a node that was first seen earlier has lasted. */
const LASTING = 125_000;
/** ms after the first node. Then the nodes of the first minute have lasted, and only those are used, however few. */
const SETTLED = 180_000;
const HOPS = 3;

/** What the DHT knows about the liveness of nodes. */
export interface NodeHealth {
  /** Whether the node has not answered lately. */
  isSuspect(key: PublicKey): boolean;
  /** Pings the node: a path through it does not work. */
  check(node: NodeInfo): void;
}

export interface HopPickerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly nodes: () => readonly NodeInfo[];
  /** Returns TCP relays as first hops; none while UDP works. */
  readonly relays?: () => readonly NodeInfo[];
  readonly health?: NodeHealth | undefined;
}

export class HopPicker {
  readonly #deps: HopPickerDeps;
  /** When each node was first seen, ms of the clock. */
  readonly #seenAt = new LruMap<string, number>(MAX_SEEN);
  /** For each node the number of paths that never worked, since one through it did. */
  readonly #failures = new LruMap<string, number>(REMEMBERED);

  constructor(deps: HopPickerDeps) {
    this.#deps = deps;
  }

  /** Whether any node has an address of this scope or a narrower one. */
  hasAny(scope: Scope): boolean {
    return this.#candidates(scope).length > 0;
  }

  /** Whether there are enough nodes for a path without repetition. */
  hasPlenty(scope: Scope): boolean {
    return this.#candidates(scope).length >= HOPS;
  }

  /** Returns the hops of a new path. @param scope the widest scope of their addresses */
  pick(scope: Scope = Scope.World): Hops | undefined {
    const relays = this.#deps.relays?.() ?? [];
    const relay = relays.length > 0 ? pick(this.#deps.random, relays) : undefined;
    const nodes = this.#behind(relay, this.#candidates(scope));
    const first = this.#take(nodes);
    if (first === undefined) return undefined;
    const second = this.#take(nodes) ?? first;
    const [narrow, wide] = scopeOf(first.endpoint) <= scopeOf(second.endpoint) ? [first, second] : [second, first];
    if (relay !== undefined) return [{ ...relay, transport: 'tcp' }, narrow, wide];
    const third = this.#take(nodes);
    if (third !== undefined) return inOrder([first, second, third]);
    // Two nodes: the path returns to the first, since a node behind a NAT may reach itself only by a local address.
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

  /** The path seems broken: checks all its nodes. */
  suspect(hops: Hops): void {
    for (const hop of new Set<EntryNode>(hops)) if (hop.transport !== 'tcp') this.#deps.health?.check(hop);
  }

  /** Whether one of the nodes does not answer any more. */
  isBroken(hops: Hops): boolean {
    return hops.some((hop) => this.#deps.health?.isSuspect(hop.publicKey) === true);
  }

  /** Returns the nodes that the relay can reach, or all if there are none. */
  #behind(relay: NodeInfo | undefined, nodes: readonly NodeInfo[]): NodeInfo[] {
    if (relay === undefined) return [...nodes];
    const reached = nodes.filter(({ endpoint }) => scopeOf(endpoint) >= scopeOf(relay.endpoint));
    return reached.length > 0 ? reached : [...nodes];
  }

  #candidates(scope: Scope): readonly NodeInfo[] {
    const now = this.#deps.clock.now();
    const nodes = firstOfEach(this.#deps.nodes(), scope);
    const ages = nodes.map((node) => now - this.#firstSeen(node, now));
    const lasting = nodes.filter((_node, index) => (ages[index] as number) >= LASTING);
    return lasting.length >= HOPS || ages.some((age) => age >= SETTLED) ? lasting : nodes;
  }

  #firstSeen({ publicKey }: NodeInfo, now: number): number {
    const known = this.#seenAt.get(publicKey.hex);
    if (known === undefined) this.#seenAt.set(publicKey.hex, now);
    return known ?? now;
  }

  /** Takes the one of two random nodes that failed less often, which avoids broken ones without preferring a few. */
  #take(nodes: NodeInfo[]): NodeInfo | undefined {
    if (nodes.length === 0) return undefined;
    const one = this.#deps.random.below(nodes.length);
    const other = this.#deps.random.below(nodes.length);
    const index = this.#failuresOf(nodes[one]) <= this.#failuresOf(nodes[other]) ? one : other;
    return nodes.splice(index, 1)[0];
  }

  #failuresOf(node: NodeInfo | undefined): number {
    return (node && this.#failures.get(node.publicKey.hex)) ?? 0;
  }
}

/** Sorts narrow addresses to the front. */
const inOrder = (hops: Hops): Hops =>
  [...hops].sort((a, b) => scopeOf(a.endpoint) - scopeOf(b.endpoint)) as unknown as Hops;

/** Returns each node once, with its first address of this scope or a narrower one. */
function firstOfEach(nodes: readonly NodeInfo[], scope: Scope): NodeInfo[] {
  const found = new Map<string, NodeInfo>();
  for (const node of nodes) {
    const { hex } = node.publicKey;
    if (!found.has(hex) && scopeOf(node.endpoint) <= scope) found.set(hex, node);
  }
  return [...found.values()];
}
