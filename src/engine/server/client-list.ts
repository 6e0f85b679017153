/**
 * The clients that a server has admitted since it started. A client that has been away for hours is forgotten and must ask
 * again, as every client must after a restart. The policy alone decides which clients are admitted.
 */
import type { Clock, Timer } from '../../base/clock.js';

/** ms away after which a client is forgotten. */
const LONGEST_ABSENCE = 6 * 60 * 60_000;
/** ms between checks. */
const SWEEP_INTERVAL = 10 * 60_000;
/** Clients at once: the stack searches for each one that is away, which costs packets and memory. */
const MAX_CLIENTS = 512;

export interface ListedClient {
  /** Public key in hex. */
  readonly id: string;
  readonly isOnline: boolean;
}

export class ClientList<Member extends ListedClient> {
  readonly #clock: Clock;
  readonly #onForget: (client: Member) => void;
  /** The time since which each client is away, in ms of the clock, in the order in which they were last seen. */
  readonly #clients = new Map<string, { readonly client: Member; seenAt: number }>();
  readonly #timer: Timer;

  /** @param deps.onForget called at most once per client */
  constructor(deps: { clock: Clock; onForget: (client: Member) => void }) {
    this.#clock = deps.clock;
    this.#onForget = deps.onForget;
    this.#timer = deps.clock.every(SWEEP_INTERVAL, () => this.#sweep());
  }

  get size(): number {
    return this.#clients.size;
  }

  get all(): readonly Member[] {
    return [...this.#clients.values()].map(({ client }) => client);
  }

  has(id: string): boolean {
    return this.#clients.has(id);
  }

  /** Makes room by forgetting the client that has been away longest. @returns false if all clients are connected */
  makeRoom(): boolean {
    if (this.#clients.size < MAX_CLIENTS) return true;
    for (const { client } of this.#clients.values()) {
      if (client.isOnline) continue;
      this.#forget(client);
      return true;
    }
    return false;
  }

  add(client: Member): void {
    this.#clients.set(client.id, { client, seenAt: this.#clock.now() });
  }

  /** Removes a client; `onForget` is not called. */
  remove(client: Member): void {
    this.#clients.delete(client.id);
  }

  /** The client has connected or disconnected. */
  onSeen(client: Member): void {
    // The event may arrive after the client was removed.
    if (this.#clients.delete(client.id)) this.add(client);
  }

  /** Stops; no client is forgotten any more. */
  close(): void {
    this.#timer.cancel();
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const { client, seenAt } of this.#clients.values()) {
      if (!client.isOnline && now - seenAt >= LONGEST_ABSENCE) this.#forget(client);
    }
  }

  #forget(client: Member): void {
    this.#clients.delete(client.id);
    this.#onForget(client);
  }
}
