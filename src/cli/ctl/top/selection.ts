/** The selected row of a list that is sorted again, and loses rows, while it is looked at. */
export class Selection {
  #id: string | undefined;
  #index = 0;

  /** Returns the place of the selected row; what took its place when it is gone. -1 in an empty list. */
  indexIn(ids: readonly string[]): number {
    const found = this.#id === undefined ? -1 : ids.indexOf(this.#id);
    return this.#select(ids, found >= 0 ? found : this.#index);
  }

  idIn(ids: readonly string[]): string | undefined {
    return ids[this.indexIn(ids)];
  }

  /** @param by rows, down or up */
  move(ids: readonly string[], by: number): void {
    this.#select(ids, this.indexIn(ids) + by);
  }

  #select(ids: readonly string[], index: number): number {
    const inside = Math.min(Math.max(index, 0), ids.length - 1);
    // In an empty list the place stays known for when it has rows again.
    if (inside >= 0) this.#index = inside;
    this.#id = ids[inside];
    return inside;
  }
}

/** Returns the first of the rows that are shown. @param rows that fit @param before the first one so far */
export function firstShown(before: number, { index, count, rows }: Record<'index' | 'count' | 'rows', number>): number {
  const nearest = Math.min(Math.max(before, index - rows + 1), Math.max(0, index));
  return Math.max(0, Math.min(nearest, count - rows));
}
