/** Tells what happens to the connection with a friend, each event once and only while it is true. */
import type { ConnectedEvent, ConnectionEvent, StageEvent } from '../../base/connection-event.js';
import { Listeners } from '../../base/listeners.js';
import type { Friend } from '../../tox/messenger.js';

/** What is read of the friend. */
export type WatchedFriend = Pick<Friend, 'stage' | 'path' | 'facts'>;

/** Why there is no connection. */
interface Problem {
  readonly code: string;
  readonly message: string;
}

interface Deps {
  /** Returns the friend; a client that uses another secret has another one. */
  readonly friend: () => WatchedFriend;
  /** Resolves to the round trip in ms. net_crypto knows it only after some packets. */
  readonly ping: () => Promise<number>;
}

export class ConnectionEvents {
  readonly #deps: Deps;
  readonly #listeners = new Listeners<[event: ConnectionEvent]>();
  /** Where the connection stands. */
  #state: StageEvent | ConnectedEvent = { event: 'bootstrapping' };
  #isOnline = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Calls back at once with where the connection stands, and then with each event. @returns a function that removes the listener */
  watch(listener: (event: ConnectionEvent) => void): () => void {
    listener(this.#state);
    return this.#listeners.add(listener);
  }

  /** What is known about reaching the server may have changed. */
  update(): void {
    if (this.#isOnline) this.#updatePath();
    else this.#updateStage();
  }

  noteOnline(): void {
    this.#isOnline = true;
    this.#updatePath();
    if (this.#state.event === 'connected' && this.#state.rttMs === undefined) this.#measure();
  }

  noteOffline(): void {
    const reason = this.#deps.friend().facts.lastError?.text;
    this.#isOnline = false;
    this.#listeners.tell({ event: 'disconnected', ...(reason === undefined ? {} : { reason }) });
    this.#updateStage();
  }

  /** There has been no connection for a while. */
  noteWaiting({ code, message }: Problem): void {
    this.#updateStage();
    this.#listeners.tell({ event: code === 'not-admitted' ? 'refused' : 'waiting', code, message });
  }

  /** The search pauses. @param left how often it begins again */
  noteRetry({ code, message }: Problem, pauseMs: number, left: number): void {
    this.#listeners.tell({ event: 'retry', code, message, pauseMs: Math.round(pauseMs), left });
  }

  /** The search is given up. */
  noteError({ code, message }: Problem): void {
    this.#listeners.tell({ event: 'error', code, message });
  }

  #updateStage(): void {
    const { stage } = this.#deps.friend();
    // The session of net_crypto begins a moment before the friend is online.
    if (stage !== undefined && stage !== this.#state.event) this.#enter({ event: stage });
  }

  #updatePath(): void {
    const { path, facts } = this.#deps.friend();
    const before = this.#state.event === 'connected' ? this.#state.path : undefined;
    if (path.kind === 'none' || path.kind === before) return;
    this.#enter({
      event: 'connected',
      path: path.kind,
      ...(facts.rtt === undefined ? {} : { rttMs: rounded(facts.rtt) }),
    });
  }

  #measure(): void {
    this.#deps.ping().then(
      (ms) => {
        if (this.#state.event !== 'connected' || this.#state.rttMs !== undefined) return;
        this.#enter({ ...this.#state, rttMs: rounded(ms) });
      },
      // The connection was lost meanwhile.
      () => {},
    );
  }

  #enter(state: StageEvent | ConnectedEvent): void {
    this.#state = state;
    this.#listeners.tell(state);
  }
}

/** To a hundredth. */
const rounded = (ms: number): number => Math.round(ms * 100) / 100;
