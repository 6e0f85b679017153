/** Whether we are in the network, and who wants to know. */
import { Listeners } from '../../base/listeners.js';

export class Connectivity {
  readonly #listeners = new Listeners<[isConnected: boolean]>();
  #isConnected = false;

  get isConnected(): boolean {
    return this.#isConnected;
  }

  set(isConnected: boolean): void {
    if (isConnected === this.#isConnected) return;
    this.#isConnected = isConnected;
    this.#listeners.tell(isConnected);
  }

  /** @returns takes the listener away */
  onChange(listener: (isConnected: boolean) => void): () => void {
    return this.#listeners.add(listener);
  }
}
