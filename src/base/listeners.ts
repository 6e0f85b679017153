/** Those who want to hear of one kind of event. Whoever comes or goes while they are told does so from the next event on. */
export class Listeners<Values extends readonly unknown[]> {
  #all: ReadonlySet<(...values: Values) => void> = new Set();

  /** @returns takes the listener away */
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
