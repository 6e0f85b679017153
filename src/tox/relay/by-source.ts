/** Things that came from the network, grouped by the host that they are of: so that one host can crowd out nobody but itself. */
import type { Endpoint } from '../../base/endpoint.js';

/** Bytes of an IPv6 address that tell customers apart: everybody has a /64 of addresses. */
const IPV6_PREFIX = 8;

/** Equal for addresses that belong to the same customer of the internet, or may. */
export function sourceOf(endpoint: Endpoint): string {
  return endpoint.family === 4 ? endpoint.address : endpoint.toBytes().toString('hex', 0, IPV6_PREFIX);
}

export class BySource<T extends { readonly source: string }> {
  /** In the order in which they came; of each source, too. */
  readonly #groups = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const group = this.#groups.get(item.source);
    if (group?.has(item)) return;
    if (group === undefined) this.#groups.set(item.source, new Set([item]));
    else group.add(item);
    this.#size += 1;
  }

  delete(item: T): void {
    const group = this.#groups.get(item.source);
    if (group === undefined || !group.delete(item)) return;
    if (group.size === 0) this.#groups.delete(item.source);
    this.#size -= 1;
  }

  /** Takes one out: each source has its turn, whatever the others have here. */
  next(): T | undefined {
    const group = first(this.#groups.values());
    const item = group && first(group);
    if (group === undefined || item === undefined) return undefined;
    this.delete(item);
    this.#groups.delete(item.source);
    if (group.size > 0) this.#groups.set(item.source, group);
    return item;
  }

  /** The oldest one of the source that has most. */
  oldestOfLargest(): T | undefined {
    let largest: Set<T> | undefined;
    for (const group of this.#groups.values()) if (group.size > (largest?.size ?? 0)) largest = group;
    return largest && first(largest);
  }

  /** By source, those with most first; of each the oldest first. */
  largestFirst(): readonly ReadonlySet<T>[] {
    return [...this.#groups.values()].sort((a, b) => b.size - a.size);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const group of this.#groups.values()) yield* group;
  }
}

const first = <T>(items: Iterable<T>): T | undefined => items[Symbol.iterator]().next().value;
