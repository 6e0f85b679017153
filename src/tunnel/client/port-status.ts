/** What the server says of the port of -R, for those who watch it. */
import { Listeners } from '../../base/listeners.js';
import type { RemotePort, RemotePortState } from './forward-spec.js';

export class PortStatus implements RemotePort {
  readonly #changes = new Listeners<[state: RemotePortState]>();
  readonly #traffic = new Listeners<[]>();
  #state: RemotePortState = { kind: 'asking' };

  get state(): RemotePortState {
    return this.#state;
  }

  watch(listener: (state: RemotePortState) => void): () => void {
    listener(this.#state);
    return this.#changes.add(listener);
  }

  onTraffic(listener: () => void): () => void {
    return this.#traffic.add(listener);
  }

  change(state: RemotePortState): void {
    this.#state = state;
    this.#changes.tell(state);
  }

  /** A connection has begun or ended. */
  noteTraffic(): void {
    this.#traffic.tell();
  }
}
