/**
 * Careful Resume (RFC 9959): a new session goes to half of what an earlier one found the path to carry, as soon as the path
 * proves to be the same; when that is too much, it goes back to what it has seen itself. Pure.
 */
import { MAX_CRYPTO_DATA_SIZE } from '../packet/net-crypto.js';
import type { AckSample } from './ack-sample.js';
import { WIRE_OVERHEAD } from './send-window.js';

/** What a session found out about its path. */
export interface SavedPath {
  /** Bytes a ms that it delivered. */
  readonly rate: number;
  /** The smallest round trip, ms. */
  readonly roundTrip: number;
}

/** RFC 9959: part of the saved capacity that is used before it is validated. */
const JUMP = 1 / 2;
/** RFC 9959 leaves a path alone whose round trip is below half of the saved one, or above ten times; a queue may raise the first ones. */
const SHORTEST = 1 / 2;
/** Two, for a path that is ten times longer has another rate. */
const LONGEST = 2;
/** RFC 6928: bytes that have to arrive first, an initial window as TCP has it. */
const RECONNAISSANCE = 10 * (MAX_CRYPTO_DATA_SIZE + WIRE_OVERHEAD);
/** Part and number of the packets lost since the jump that mean an overflow; chance loses some as well. */
const RETREAT_LOSS = 0.02;
const RETREAT_PACKETS = 6;

type Phase = 'reconnaissance' | 'unvalidated' | 'validating' | 'normal';

export class CarefulResume {
  #phase: Phase = 'normal';
  #saved: SavedPath = { rate: 0, roundTrip: 0 };
  #acked = 0;
  #lost = 0;
  #lostPackets = 0;
  /** Delivered bytes at which the phase ends. */
  #end = 0;

  begin(saved: SavedPath): void {
    this.#saved = saved;
    this.#phase = 'reconnaissance';
  }

  /** Bytes a ms at which to send at the least; 0 for whatever else says. */
  get rate(): number {
    return this.#phase === 'unvalidated' || this.#phase === 'validating' ? this.#saved.rate * JUMP : 0;
  }

  /**
   * @param inFlight bytes still in flight
   * @param roundTrip the smallest one, ms
   * @param mayJump whether the peer takes what comes at once
   * @returns whether the jump was too far
   */
  onAck(sample: AckSample, path: { inFlight: number; roundTrip: number; mayJump: boolean }): boolean {
    if (this.#phase === 'normal') return false;
    this.#acked += sample.ackedBytes;
    this.#lost += sample.lostBytes;
    this.#lostPackets += sample.lostPackets;
    if (this.#lostPackets >= RETREAT_PACKETS && this.#lost > RETREAT_LOSS * (this.#acked + this.#lost)) {
      const hasJumped = this.#phase !== 'reconnaissance';
      this.#phase = 'normal';
      return hasJumped;
    }
    if (this.#phase === 'reconnaissance') this.#reconnoitre(sample, path);
    else if (sample.delivered > this.#end) this.#advance(sample.delivered + path.inFlight);
    return false;
  }

  #reconnoitre(
    { delivered }: AckSample,
    { inFlight, roundTrip, mayJump }: { inFlight: number; roundTrip: number; mayJump: boolean },
  ): void {
    if (this.#acked < RECONNAISSANCE) return;
    const ratio = roundTrip / this.#saved.roundTrip;
    const isSame = mayJump && ratio >= SHORTEST && ratio <= LONGEST;
    this.#phase = isSame ? 'unvalidated' : 'normal';
    // Until all that was sent before the jump has arrived.
    this.#end = delivered + inFlight;
    this.#acked = 0;
    this.#lost = 0;
    this.#lostPackets = 0;
  }

  /** The first packet that was sent after the jump has arrived, or the last one. */
  #advance(end: number): void {
    this.#phase = this.#phase === 'unvalidated' ? 'validating' : 'normal';
    this.#end = end;
  }
}
