/** One forward that is kept up: it holds its server, and tries again to listen while its port is in use. */
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import type { ConnectionPath } from '../../tox/connection-facts.js';
import { describeForward, type Forward, type ForwardTraffic } from '../../tunnel/client/forward-spec.js';
import type { ForwardEntry } from './forward-entry.js';
import { portLog } from './port-log.js';
import type { RemoteServer } from './remote-server.js';
import type { HeldServer, ServerPool } from './server-pool.js';

/** ms until it tries again to listen. Programs that end free their port at once, and the attempt costs nothing. */
const RETRY_INTERVAL = 5_000;
/** ms until it searches again for a server that said that it ends: its owner may start it again. */
const SEARCH_AGAIN = 60_000;
const NO_TRAFFIC: ForwardTraffic = { open: 0, total: 0, bytesSent: 0, bytesReceived: 0 };

export interface StandingForwardDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly pool: Pick<ServerPool, 'hold'>;
}

export interface ForwardState {
  readonly entry: ForwardEntry;
  /** Why it does not listen; undefined while it does. */
  readonly listenError: string | undefined;
  /** Why the server does not listen (-R). */
  readonly refusal: string | undefined;
  /** Why there is no connection to the server; undefined while there is one. */
  readonly serverError: string | undefined;
  readonly path: ConnectionPath;
  /** ms; undefined before it is measured. */
  readonly roundTrip: number | undefined;
  readonly traffic: ForwardTraffic;
}

export class StandingForward {
  readonly entry: ForwardEntry;
  readonly #deps: StandingForwardDeps;
  #held: HeldServer;
  #searchAgain: Timer | undefined;
  #local: Forward | undefined;
  #listenError: string | undefined;
  #retry: Timer | undefined;
  #isClosed = false;

  constructor(deps: StandingForwardDeps, entry: ForwardEntry) {
    this.entry = entry;
    this.#deps = deps;
    this.#held = this.#hold();
  }

  get #server(): RemoteServer {
    return this.#held.server;
  }

  /** Whether it waits for its port. */
  get isWaiting(): boolean {
    return this.#listenError !== undefined || this.#refusal !== undefined;
  }

  get #refusal(): string | undefined {
    const state = this.#local?.remote?.state;
    return state?.kind === 'refused' ? state.message : undefined;
  }

  get state(): ForwardState {
    const server = this.#server;
    const { path, rtt } = server.facts;
    return {
      entry: this.entry,
      listenError: this.#listenError,
      refusal: this.#refusal,
      serverError: server.isOnline ? undefined : server.reason.message,
      path,
      roundTrip: rtt,
      traffic: this.#local?.traffic ?? NO_TRAFFIC,
    };
  }

  #hold(): HeldServer {
    const { clock, pool } = this.#deps;
    const held = pool.hold(this.entry.server);
    held.server.givenUp.catch(() => {
      if (this.#isClosed) return;
      this.#searchAgain = clock.after(SEARCH_AGAIN, () => {
        held.release();
        this.#held = this.#hold();
      });
    });
    return held;
  }

  /** @throws ListenError */
  async listen(): Promise<void> {
    const local = await this.#server.forward(this.entry.spec);
    if (this.#isClosed) local.abort();
    this.#local = local;
    this.#listenError = undefined;
    local.remote?.watch(portLog(local, this.#deps.log));
  }

  /** Listens, now or as soon as it can. Never rejects. */
  async keepListening(): Promise<void> {
    const { clock, log } = this.#deps;
    const before = this.#listenError;
    try {
      await this.listen();
    } catch (error) {
      const message = messageOf(error);
      // Once, and not every few seconds.
      if (message !== before)
        log.warn(`the forward ${describeForward(this.entry.spec)} waits for its port: ${message}`);
      this.#listenError = message;
      if (!this.#isClosed) this.#retry = clock.after(RETRY_INTERVAL, () => void this.keepListening());
    }
  }

  /** Stops listening, and lets go of the server. Open connections end with the engine. */
  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#searchAgain?.cancel();
    this.#local?.close();
    this.#held.release();
  }

  /** Resets the open connections too. @returns how many there were */
  abort(): number {
    const { open } = this.state.traffic;
    this.#local?.abort();
    this.close();
    return open;
  }
}
