/** The life of a friend's connection: signs of ours every few seconds, and what the silence of the other side means. */
import type { Clock, Timer } from '../../base/clock.js';
import type { CryptoConnection } from '../net-crypto/crypto-connection.js';
import { ALIVE_PACKET } from '../packet/friend.js';

/** Specification: an ALIVE packet every 8 s, and death after 32 s of silence. */
const ALIVE_INTERVAL = 8_000;
const SILENCE_LIMIT = 32_000;
/**
 * Both sides speak once a second. After this much silence the friend may well have been killed and run again,
 * and is searched for besides; one that forgot us needs our friend request, and shall not wait 32 s for it. ms.
 */
const SUSPECT_AFTER = 4_000;
/** After a disruption, ms in which a friend that lives lets us hear something; it speaks once a second. */
const ANSWER_PATIENCE = 2_000;

export interface HeartbeatDeps {
  readonly clock: Clock;
  readonly connection: Pick<CryptoConnection, 'lastReceivedAt' | 'sendLossless'>;
  /** The friend is well, by what was heard at a beat. */
  readonly onHealthy: () => void;
  /** It may not be there any more. */
  readonly onSuspect: () => void;
  /** It is not there any more. */
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

  /** We slept, or the network has changed: whether the friend hears us is known in 2 s. */
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

  /** ms; any packet of the session is a sign of life here, c-toxcore counts ALIVE alone. */
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
