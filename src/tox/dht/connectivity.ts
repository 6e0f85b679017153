/** Whether we are in the network, and who wants to know. */
export class Connectivity {
  readonly #listeners = new Set<(isConnected: boolean) => void>();
  #isConnected = false;

  get isConnected(): boolean {
    return this.#isConnected;
  }

  set(isConnected: boolean): void {
    if (isConnected === this.#isConnected) return;
    this.#isConnected = isConnected;
    for (const listener of [...this.#listeners]) listener(isConnected);
  }

  /** @returns takes the listener away */
  onChange(listener: (isConnected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
