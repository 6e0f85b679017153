/**
 * Whether the other end of a relay connection still lives. Both ends ping every 30 s and wait 10 s for an answer, or 3 s after
 * sleep or a change of the network. A client also watches a relay over which a peer's packets come: a peer sends at least once
 * a second, so a relay from which nothing comes for two seconds is pinged, and is dead two seconds later. An idle relay is not
 * watched.
 */
import type { Clock, Timer } from '../../base/clock.js';
import { type Random, randomId } from '../../base/random.js';

/** Specification (TCP_PING_FREQUENCY, TCP_PING_TIMEOUT), ms. */
const PING_INTERVAL = 30_000;
const PONG_TIMEOUT = 10_000;
/** ms. After sleep or a change of the network most connections are dead, which TCP reports after minutes. */
const PONG_TIMEOUT_AFTER_DISRUPTION = 3_000;
/** ms between checks of a relay that carries packets, so that a packet costs nothing but a flag. */
const TICK = 1000;
/** Ticks without a packet after which the relay is pinged, and after which it is dead. */
const PINGED_AFTER = 2;
const DEAD_AFTER = 4;

export interface LivenessDeps {
  readonly clock: Clock;
  readonly random: Random;
  sendPing(id: bigint): void;
  onSilence(reason: string): void;
}

export class Liveness {
  readonly #deps: LivenessDeps;
  readonly #interval: Timer;
  #awaited: { readonly id: bigint; readonly timeout: Timer } | undefined;
  /** Runs while a peer's packets come. */
  #ticks: Timer | undefined;
  #hasReceived = false;
  #hasPeerPacket = false;
  #silentTicks = 0;

  constructor(deps: LivenessDeps) {
    this.#deps = deps;
    this.#interval = deps.clock.every(PING_INTERVAL, () => this.ping());
  }

  /** Pings now, unless an answer is awaited already. */
  ping(): void {
    if (this.#awaited === undefined) this.#ping(PONG_TIMEOUT);
  }

  /** Pings now and waits 3 s: we slept, or the network has changed. */
  check(): void {
    this.#awaited?.timeout.cancel();
    this.#ping(PONG_TIMEOUT_AFTER_DISRUPTION);
  }

  onPong(id: bigint): void {
    this.#hasReceived = true;
    if (this.#awaited?.id === id) this.#confirm();
  }

  /**
   * A packet other than a pong has arrived: it opened under the connection's key, so the other side lives. The pong itself may be
   * late on a slow line, behind all that waits in the system's buffers (c-toxcore insists on it).
   */
  onReceived(): void {
    this.#hasReceived = true;
    this.#confirm();
  }

  /** The packet that has arrived came from a peer: from now on silence means something. */
  onPeerPacket(): void {
    this.#hasPeerPacket = true;
    this.#ticks ??= this.#deps.clock.every(TICK, () => this.#tick());
  }

  stop(): void {
    this.#interval.cancel();
    this.#confirm();
    this.#unwatch();
  }

  #ping(patience: number): void {
    const { clock, random, sendPing, onSilence } = this.#deps;
    this.#awaited = { id: randomId(random), timeout: clock.after(patience, () => onSilence('silent for 10 s')) };
    sendPing(this.#awaited.id);
  }

  #confirm(): void {
    this.#awaited?.timeout.cancel();
    this.#awaited = undefined;
  }

  #tick(): void {
    this.#silentTicks = this.#hasReceived ? 0 : this.#silentTicks + 1;
    const isIdle = this.#hasReceived && !this.#hasPeerPacket;
    this.#hasReceived = false;
    this.#hasPeerPacket = false;
    if (isIdle) this.#unwatch();
    else if (this.#silentTicks === PINGED_AFTER) this.ping();
    else if (this.#silentTicks >= DEAD_AFTER) this.#deps.onSilence('silent while it carried packets');
  }

  #unwatch(): void {
    this.#ticks?.cancel();
    this.#ticks = undefined;
  }
}
