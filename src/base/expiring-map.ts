/** A bounded map whose entries expire, for requests that await a response; `now` comes from the caller and never decreases. */
export class ExpiringMap<Key, Value> {
  readonly #lifetime: number;
  readonly #capacity: number;
  readonly #entries = new Map<Key, { readonly value: Value; readonly expires: number }>();

  /**
   * @param lifetime ms of an entry
   * @param capacity entries, 1 or more; a further one replaces the oldest
   */
  constructor(lifetime: number, capacity: number) {
    if (capacity < 1) throw new RangeError('ExpiringMap: capacity must be at least 1');
    this.#lifetime = lifetime;
    this.#capacity = capacity;
  }

  /** Includes expired entries that are not yet removed. */
  get size(): number {
    return this.#entries.size;
  }

  set(key: Key, value: Value, now: number): void {
    this.#entries.delete(key);
    this.expire(now);
    if (this.#entries.size >= this.#capacity) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
    this.#entries.set(key, { value, expires: now + this.#lifetime });
  }

  get(key: Key, now: number): Value | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expires > now ? entry.value : undefined;
  }

  /** Returns the entry and removes it: a response counts once. */
  take(key: Key, now: number): Value | undefined {
    const value = this.get(key, now);
    this.#entries.delete(key);
    return value;
  }

  delete(key: Key): boolean {
    return this.#entries.delete(key);
  }

  /** Removes expired entries. The entries are in the order in which they expire. */
  expire(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.expires > now) return;
      this.#entries.delete(key);
    }
  }

  *values(now: number): IterableIterator<Value> {
    for (const entry of this.#entries.values()) if (entry.expires > now) yield entry.value;
  }

  clear(): void {
    this.#entries.clear();
  }
}
