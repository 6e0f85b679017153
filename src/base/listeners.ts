/** The listeners of one kind of event. A change during an event applies from the next event on. */
export class Listeners<Values extends readonly unknown[]> {
  #all: ReadonlySet<(...values: Values) => void> = new Set();

  /** @returns a function that removes the listener */
  add(listener: (...values: Values) => void): () => void {
    this.#all = new Set([...this.#all, listener]);
    return () => {
      this.#all = new Set([...this.#all].filter((other) => other !== listener));
    };
  }

  tell(...values: Values): void {
    for (const listener of this.#all) listener(...values);
  }
}
