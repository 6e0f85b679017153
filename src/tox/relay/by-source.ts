/** Items from the network, grouped by the host that they came from, so that a host can crowd out only its own items. */
import type { Endpoint } from '../../base/endpoint.js';

/** Bytes of an IPv6 address that tell customers apart: each customer has a /64 of addresses. */
const IPV6_PREFIX = 8;

/** Returns the same string for addresses that may belong to the same customer of an internet provider. */
export function sourceOf(endpoint: Endpoint): string {
  return endpoint.family === 4 ? endpoint.address : endpoint.toBytes().toString('hex', 0, IPV6_PREFIX);
}

export class BySource<T extends { readonly source: string }> {
  /** In the order of arrival, as are the items of each source. */
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

  /** Takes one item out, from one source after the other, however many items each has. */
  next(): T | undefined {
    const group = first(this.#groups.values());
    const item = group && first(group);
    if (group === undefined || item === undefined) return undefined;
    this.delete(item);
    this.#groups.delete(item.source);
    if (group.size > 0) this.#groups.set(item.source, group);
    return item;
  }

  /** Returns the oldest item of the source with the most items. */
  oldestOfLargest(): T | undefined {
    let largest: Set<T> | undefined;
    for (const group of this.#groups.values()) if (group.size > (largest?.size ?? 0)) largest = group;
    return largest && first(largest);
  }

  /** Returns the items by source, the source with the most items first, the oldest item of each first. */
  largestFirst(): readonly ReadonlySet<T>[] {
    return [...this.#groups.values()].sort((a, b) => b.size - a.size);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const group of this.#groups.values()) yield* group;
  }
}

const first = <T>(items: Iterable<T>): T | undefined => items[Symbol.iterator]().next().value;
