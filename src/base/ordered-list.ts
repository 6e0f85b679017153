/**
 * Objects in the order in which they were added, each once. Unlike a Set it keeps nothing that was removed and allocates nothing when an
 * object comes back: V8 makes a new table for an old Set every few times, in the old generation, whose collection takes ms.
 */

interface Place<T> {
  readonly item: T;
  isListed: boolean;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

export class OrderedList<T extends object> {
  /** Of all objects that were ever added. */
  readonly #places = new WeakMap<T, Place<T>>();
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;

  get first(): T | undefined {
    return this.#first?.item;
  }

  has(item: T): boolean {
    return this.#places.get(item)?.isListed === true;
  }

  /** Adds it at the end, unless it is in the list. */
  add(item: T): void {
    const place = this.#places.get(item) ?? { item, isListed: false, before: undefined, after: undefined };
    if (place.isListed) return;
    this.#places.set(item, place);
    place.isListed = true;
    place.before = this.#last;
    if (this.#last === undefined) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
  }

  delete(item: T): void {
    const place = this.#places.get(item);
    if (place?.isListed !== true) return;
    const { before, after } = place;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    place.isListed = false;
    place.before = undefined;
    place.after = undefined;
  }

  clear(): void {
    while (this.#first !== undefined) this.delete(this.#first.item);
  }
}
