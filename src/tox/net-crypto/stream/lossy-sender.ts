/**
 * Lossy packets of one session. They are neither acknowledged nor sent again, so their sender has to bring its own congestion control,
 * as over UDP. A packet goes at once where it can; a few wait for a busy relay, and what does not fit is lost here.
 *
 * While lossless data waits for the path as well, lossy packets may take as much as it is measured to take. What the model of
 * congestion control measures is then the other half of the path, so a flood of either kind leaves half of the path to the other one,
 * and a stream below that half is not slowed.
 */
import { CryptoKind } from '../../packet/kind.js';
import { checkCryptoData, SAFE_CRYPTO_DATA_SIZE, WIRE_OVERHEAD } from '../../packet/net-crypto.js';
import { Pacer } from '../congestion/pacer.js';
import type { PacketSize } from '../path/packet-size.js';

/** Bytes that wait at most: the fragments of two of the largest datagrams of UDP. */
const MAX_QUEUE = 140 * 1024;
/** ms after which a waiting packet is lost: what comes later is worth more. */
const MAX_WAIT = 250;
/** ms for which lossless data that waited counts as waiting: its sender refills its queue in steps. */
const CONTENTION = 50;
/** Lossless packets that a probe of the packet size needs, when no other data is there to be padded. */
const PROBE_PACKETS = 8;
/** Lossy packets of the safe size or more for which the path is probed. */
const WORTH_PROBING = 8;
/** ms between two lossless packets of the largest size, which show that this size still arrives. */
const CHECK_INTERVAL = 2_000;

interface LossySenderDeps {
  /** Seals and sends one packet. */
  emit(data: Buffer): void;
  /** Whether there is a session, and the peer has answered lately. */
  isOpen(): boolean;
  /** Whether the path has no room for a packet now. @param size bytes of data */
  isBlocked(size: number): boolean;
  /** Bytes per ms that lossless data may take; undefined while that is not measured. */
  rate(): number | undefined;
}

interface Waiting {
  readonly data: Buffer;
  readonly since: number;
}

export class LossySender {
  readonly #deps: LossySenderDeps;
  readonly #pacer = new Pacer();
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #dropped = 0;
  /** When lossless data last waited for the path, ms. */
  #contendedAt = Number.NEGATIVE_INFINITY;
  /** Packets of the safe size or more since the path was last checked, and when that was. */
  #large = 0;
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: LossySenderDeps) {
    this.#deps = deps;
  }

  /** Packets that were lost here: without a session, or without room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether packets wait, or the path should be checked. */
  get needsTick(): boolean {
    return this.#queue.length > 0 || this.#large >= WORTH_PROBING;
  }

  /** @returns false when the packet is lost @throws RangeError for other data */
  send(data: Buffer, now: number): boolean {
    checkCryptoData(data, CryptoKind.FirstLossy, CryptoKind.LastLossy);
    if (data.length >= SAFE_CRYPTO_DATA_SIZE) this.#large += 1;
    if (this.#deps.isOpen() && this.#queue.length === 0 && this.#maySend(data.length, now)) {
      this.#deps.emit(data);
      return true;
    }
    if (!this.#deps.isOpen() || this.#queuedBytes + data.length > MAX_QUEUE) {
      this.#dropped += 1;
      return false;
    }
    this.#queue.push({ data, since: now });
    this.#queuedBytes += data.length;
    return true;
  }

  /** Sends what waits, as far as there is room. */
  pump(now: number): void {
    let count = 0;
    for (const { data, since } of this.#queue) {
      const isLate = now - since > MAX_WAIT || !this.#deps.isOpen();
      if (!isLate && !this.#maySend(data.length, now)) break;
      if (isLate) this.#dropped += 1;
      else this.#deps.emit(data);
      this.#queuedBytes -= data.length;
      count += 1;
    }
    if (count > 0) this.#queue = this.#queue.slice(count);
  }

  /** Lossless data waits for the path. */
  noteContention(now: number): void {
    this.#contendedAt = now;
  }

  /** When `pump` must be called next at the latest, ms of the clock; Infinity if only events matter. */
  wakeAt(now: number): number {
    const first = this.#queue[0];
    const rate = this.#deps.rate();
    if (first === undefined) return Number.POSITIVE_INFINITY;
    const pause = rate === undefined || this.#deps.isBlocked(first.data.length) ? MAX_WAIT : this.#pacer.pause(rate);
    return now + pause;
  }

  /**
   * Returns how many lossless packets of which size are to be sent, so that the path learns what it takes: only these are acknowledged.
   * Many small ones are padded to larger sizes; one of the largest size shows that it still arrives.
   */
  checkDue(packetSize: PacketSize, now: number): { readonly count: number; readonly size: number } | undefined {
    if (this.#large < WORTH_PROBING) return undefined;
    if (packetSize.probesDue(now) > 0) {
      this.#large = 0;
      return { count: PROBE_PACKETS, size: 1 };
    }
    if (packetSize.size <= SAFE_CRYPTO_DATA_SIZE || now - this.#checkedAt < CHECK_INTERVAL) return undefined;
    this.#checkedAt = now;
    this.#large = 0;
    return { count: 1, size: packetSize.size };
  }

  #maySend(size: number, now: number): boolean {
    if (this.#deps.isBlocked(size)) return false;
    const rate = this.#isContended(now) ? this.#deps.rate() : undefined;
    if (rate === undefined) return true;
    this.#pacer.refill(rate, now);
    if (!this.#pacer.maySend) return false;
    this.#pacer.onSent(size + WIRE_OVERHEAD);
    return true;
  }

  #isContended(now: number): boolean {
    return now - this.#contendedAt < CONTENTION;
  }
}
