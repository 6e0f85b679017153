/** The liveness of a friend's connection: sends ALIVE packets, and judges the silence of the other side. */
import type { Clock, Timer } from '../../base/clock.js';
import type { CryptoConnection } from '../net-crypto/crypto-connection.js';
import { ALIVE_PACKET } from '../packet/friend.js';

/** Specification: an ALIVE packet every 8 s, and a timeout after 32 s of silence. */
const ALIVE_INTERVAL = 8_000;
const SILENCE_LIMIT = 32_000;
/**
 * ms. Both sides send once a second. After this much silence the friend may have been killed and started again, so
 * we search for it as well; a friend that forgot us needs our friend request, and must not wait 32 s for it.
 */
const SUSPECT_AFTER = 4_000;
/** ms after a disruption in which a friend that is alive sends something; it sends once a second. */
const ANSWER_PATIENCE = 2_000;

export interface HeartbeatDeps {
  readonly clock: Clock;
  readonly connection: Pick<CryptoConnection, 'lastReceivedAt' | 'sendLossless'>;
  /** Packets of the friend arrive. */
  readonly onHealthy: () => void;
  /** The friend may be gone. */
  readonly onSuspect: () => void;
  /** The friend is gone; the heartbeat has stopped. */
  readonly onTimeout: () => void;
}

export class Heartbeat {
  readonly #deps: HeartbeatDeps;
  readonly #timer: Timer;
  /** Runs out when the friend had time to answer after a disruption. */
  #patience: Timer | undefined;
  #isStopped = false;

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps;
    this.#timer = deps.clock.every(ALIVE_INTERVAL, () => this.#beat());
  }

  /** Finds out within 2 s whether the friend still answers: we slept, or the network has changed. */
  check(): void {
    this.#beat();
    if (this.#isStopped) return;
    this.#patience?.cancel();
    this.#patience = this.#deps.clock.after(ANSWER_PATIENCE, () => {
      if (this.#silence >= ANSWER_PATIENCE) this.#deps.onSuspect();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer.cancel();
    this.#patience?.cancel();
  }

  /** ms since the last packet of the session, of any kind; c-toxcore counts ALIVE alone. */
  get #silence(): number {
    return this.#deps.clock.now() - this.#deps.connection.lastReceivedAt;
  }

  #beat(): void {
    const { connection, onHealthy, onSuspect, onTimeout } = this.#deps;
    const silence = this.#silence;
    if (silence > SILENCE_LIMIT) {
      this.stop();
      onTimeout();
      return;
    }
    connection.sendLossless(ALIVE_PACKET, { isUrgent: true });
    if (silence > SUSPECT_AFTER) onSuspect();
    else onHealthy();
  }
}
