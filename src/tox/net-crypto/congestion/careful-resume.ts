/**
 * Careful Resume (RFC 9959): a new session jumps to half of the capacity that an earlier one measured, as soon as the path
 * proves to be the same; if that is too much, it retreats to what it has measured itself. Pure.
 */
import { MAX_CRYPTO_DATA_SIZE, WIRE_OVERHEAD } from '../../packet/net-crypto.js';
import type { AckSample } from './ack-sample.js';

/** What a session learned about its path. */
export interface SavedPath {
  /** Bytes per ms that the path delivered. */
  readonly rate: number;
  /** The smallest round trip, ms. */
  readonly roundTrip: number;
}

/** RFC 9959: the part of the saved capacity that is used before it is validated. */
const JUMP = 1 / 2;
/** RFC 9959 does not resume if the round trip is below half or above ten times the saved one; a queue may raise the first samples. */
const SHORTEST = 1 / 2;
/** Two rather than ten, since a path that is ten times longer has another rate. */
const LONGEST = 2;
/** RFC 6928: bytes that must arrive first, the initial window of TCP. */
const RECONNAISSANCE = 10 * (MAX_CRYPTO_DATA_SIZE + WIRE_OVERHEAD);
/** Part and number of packets lost since the jump that indicate an overflow; some are lost at random. */
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

  /** Least sending rate, bytes per ms; 0 for no lower limit. */
  get rate(): number {
    return this.#phase === 'unvalidated' || this.#phase === 'validating' ? this.#saved.rate * JUMP : 0;
  }

  /**
   * @param inFlight bytes still in flight
   * @param roundTrip the smallest one, ms
   * @param mayJump whether the peer accepts a burst
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
    // Until everything sent before the jump has arrived.
    this.#end = delivered + inFlight;
    this.#acked = 0;
    this.#lost = 0;
    this.#lostPackets = 0;
  }

  /** The first packet sent after the jump has arrived, or the last one. */
  #advance(end: number): void {
    this.#phase = this.#phase === 'unvalidated' ? 'validating' : 'normal';
    this.#end = end;
  }
}
