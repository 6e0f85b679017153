/**
 * Lossy packets of one session. They are neither acknowledged nor sent again, so their sender has to bring its own congestion control,
 * as over UDP. A packet goes at once where it can; a few wait for a busy relay, and what does not fit is lost here.
 *
 * While lossless data waits for the path as well, lossy packets may take half of what congestion control measures, and lossless data
 * gets the rest of it. So a flood of either kind leaves half of the path to the other one, a stream below that half is not slowed, and
 * no queue grows.
 */
import { CryptoKind } from '../../packet/kind.js';
import { checkCryptoData, SAFE_CRYPTO_DATA_SIZE, WIRE_OVERHEAD } from '../../packet/net-crypto.js';
import { Pacer } from '../congestion/pacer.js';
import type { PacketSize } from '../path/packet-size.js';

/** Wire bytes that wait at most: the fragments of two of the largest datagrams of UDP. The smallest packets count, too. */
const MAX_QUEUE = 155 * 1024;
/** ms after which a waiting packet is lost: what comes later is worth more. */
const MAX_WAIT = 250;
/** ms for which lossless data that waited counts as waiting: its sender refills its queue in steps. */
const CONTENTION = 50;
/** Of the path, beside waiting lossless data. */
const PART = 1 / 2;
/** Lossless packets that a probe of the packet size needs, when no other data is there to be padded. */
const PROBE_PACKETS = 8;
/** Lossy packets of the safe size or more for which the path is probed. */
const WORTH_PROBING = 8;
/** ms between two lossless packets of the largest size, which show that this size still arrives. */
const CHECK_INTERVAL = 2_000;

interface LossySenderDeps {
  /** Seals and sends one packet. @param beside its wire bytes, if lossless data waits for the path as well; otherwise 0 */
  emit(data: Buffer, beside: number): void;
  /** Whether there is a session, and the peer has answered lately. */
  isOpen(): boolean;
  /** Whether the path has no room for a packet now. @param size bytes of data */
  isBlocked(size: number): boolean;
  /** Bytes per ms that the path takes in all, as far as is known. */
  rate(): number;
}

/** Lossless packets to send, and how many bytes each has. */
interface PathCheck {
  readonly count: number;
  readonly size: number;
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
      this.#emit(data, now);
      return true;
    }
    if (!this.#deps.isOpen() || this.#queuedBytes + data.length + WIRE_OVERHEAD > MAX_QUEUE) {
      this.#dropped += 1;
      return false;
    }
    this.#queue.push({ data, since: now });
    this.#queuedBytes += data.length + WIRE_OVERHEAD;
    return true;
  }

  /** Sends what waits, as far as there is room. */
  pump(now: number): void {
    let count = 0;
    for (const { data, since } of this.#queue) {
      const isLate = now - since > MAX_WAIT || !this.#deps.isOpen();
      if (!isLate && !this.#maySend(data.length, now)) break;
      if (isLate) this.#dropped += 1;
      else this.#emit(data, now);
      this.#queuedBytes -= data.length + WIRE_OVERHEAD;
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
    if (first === undefined) return Number.POSITIVE_INFINITY;
    const isBlocked = this.#deps.isBlocked(first.data.length);
    return now + (isBlocked ? MAX_WAIT : this.#pacer.pause(this.#deps.rate() * PART));
  }

  /**
   * Returns how many lossless packets of which size are to be sent, so that the path learns what it takes: only these are acknowledged.
   * Many small ones are padded to larger sizes; one of the largest size shows that it still arrives.
   * @param packetSize undefined where all sizes pass, or other data shows what passes
   */
  checkDue(packetSize: PacketSize | undefined, now: number): PathCheck | undefined {
    if (this.#large < WORTH_PROBING) return undefined;
    this.#large = 0;
    if (packetSize === undefined) return undefined;
    if (packetSize.probesDue(now) > 0) return { count: PROBE_PACKETS, size: 1 };
    if (packetSize.size <= SAFE_CRYPTO_DATA_SIZE || now - this.#checkedAt < CHECK_INTERVAL) return undefined;
    this.#checkedAt = now;
    return { count: 1, size: packetSize.size };
  }

  #maySend(size: number, now: number): boolean {
    if (this.#deps.isBlocked(size)) return false;
    if (!this.#isContended(now)) return true;
    this.#pacer.refill(this.#deps.rate() * PART, now);
    if (!this.#pacer.maySend) return false;
    this.#pacer.onSent(size + WIRE_OVERHEAD);
    return true;
  }

  #emit(data: Buffer, now: number): void {
    this.#deps.emit(data, this.#isContended(now) ? data.length + WIRE_OVERHEAD : 0);
  }

  #isContended(now: number): boolean {
    return now - this.#contendedAt < CONTENTION;
  }
}
