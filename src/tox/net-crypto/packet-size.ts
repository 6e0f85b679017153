/**
 * How large packets may be on one path over UDP (RFC 8899). It begins with what passes everywhere. As soon as there is much to
 * send, the next packets are padded to larger sizes, all in one turn, before the system can have learned by ICMP to send any of
 * them in fragments; the largest that arrives is the size from then on. Sizes are bytes of data, padding included.
 *
 * Node cannot set the bit that forbids fragments. Linux sets it as long as it knows of no smaller limit (IP_PMTUDISC_WANT), and
 * otherwise cuts, which the counters of the system show: a packet that was cut has not proved its size.
 *
 * A black hole, which swallows what is too large without a word, shows when a large packet is lost again and again, while the
 * peer, which hears of it by small ones, says so each time.
 */
import { MAX_CRYPTO_DATA_SIZE, SAFE_CRYPTO_DATA_SIZE } from '../packet/net-crypto.js';
import type { AckSample } from './ack-sample.js';
import { addToNumber } from './packet-number.js';
import type { Fate } from './send-window.js';

/**
 * What is tried: 1,260 bytes of IPv4 or 1,280 of IPv6, the least that IPv6 allows; 1,396 or 1,416, for tunnels
 * and DSL; and all. Each once: by the time of a second one, a router near by may have told the system to cut it.
 */
const PROBE_SIZES = [1205, 1341, MAX_CRYPTO_DATA_SIZE] as const;
/** Specification (RFC 8899, PMTU_RAISE_TIMER): 600 s, as long as Linux keeps what ICMP told; and a little more. ms. */
const RAISE_INTERVAL = 660_000;
/** ms after which is tried again what got lost together with packets of the safe size. */
const UNCLEAR_INTERVAL = 1000;
/** ms after a black hole until larger sizes are tried again, doubled each time: a long burst of loss looks the same. */
const FIRST_RETRY = 5000;
/**
 * Losses in a row, without a large packet that arrived, that are a black hole. What was sent again and got lost
 * between two reports of the peer counts once; twice if there was much of it, or at several moments. It counts no more than
 * that, since an outage of everything swallows any number of packets, and then one report tells of them all.
 */
const BLACK_HOLE_LOSSES = 4;
const MANY = 16;
const SEVERAL_MOMENTS = 2;
/** ms from which on two packets did not get lost in the same moment. */
const MOMENT = 100;
/** ms between looks at the counters of the system while large packets go, doubled by each false alarm. */
const CHECK_INTERVAL = 2000;
/** The part of it after which is looked when a large packet got lost, since ICMP may have told the system why. */
const CHECK_AFTER_LOSS = 1 / 40;
const MAX_CHECK_INTERVAL = 64_000;
/** ms between looks while large packets are sent again: to read the counters takes 0.2 ms, before and after. */
const RESEND_CHECK_INTERVAL = 25;

/** The packets before and after the probes are watched as well: when they are lost, the probes may have been lost by chance. */
interface Probe {
  readonly number: number;
  readonly size: number;
  fate: Fate | 'sent again';
}

export interface PacketSizeDeps {
  /** Fragments that the system has made of datagrams, of those of all programs; always 0 where it does not say. */
  fragmentsMade(): number;
  /** For the log. */
  log(text: string): void;
}

export class PacketSize {
  readonly #deps: PacketSizeDeps;
  #size: number = SAFE_CRYPTO_DATA_SIZE;
  /** What was cut for another path is sent whole up to this size. */
  #maxWhole: number = MAX_CRYPTO_DATA_SIZE;
  /** What our own interface takes. */
  #interfaceLimit = Number.POSITIVE_INFINITY;
  #probes: Probe[] = [];
  #probeAt = Number.NEGATIVE_INFINITY;
  /** The smallest size that did not pass, and until when that is believed. */
  #tooLarge = Number.POSITIVE_INFINITY;
  #tooLargeUntil = Number.POSITIVE_INFINITY;
  #retry = FIRST_RETRY;
  /** When the last large packet that arrived was sent, and the last that did not. */
  #deliveredSentAt: number;
  #lostSentAt = Number.NEGATIVE_INFINITY;
  /** Losses that count towards a black hole, when the last was told of, and large packets sent again since. */
  #losses = 0;
  #lossAt = Number.NEGATIVE_INFINITY;
  #resent = 0;
  #moments = 0;
  #resentAt = Number.NEGATIVE_INFINITY;
  #fragments = 0;
  #checkAt: number;
  #checkInterval = CHECK_INTERVAL;
  /** When it is looked next at a large packet that is sent again. */
  #resendCheckAt = Number.NEGATIVE_INFINITY;

  /** @param now ms; what was sent before says nothing about this path */
  constructor(deps: PacketSizeDeps, now: number) {
    this.#deps = deps;
    this.#deliveredSentAt = now;
    this.#checkAt = now;
    this.#fragments = deps.fragmentsMade();
  }

  /** Bytes of data that a packet should have at the most. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of data above which a packet is known not to arrive in one piece. */
  get maxWhole(): number {
    return this.#maxWhole;
  }

  /** Our own interface takes no more bytes of data. */
  limit(most: number): void {
    this.#interfaceLimit = Math.max(SAFE_CRYPTO_DATA_SIZE, most);
    this.#maxWhole = Math.min(this.#maxWhole, this.#interfaceLimit);
  }

  /** The path is taken again, after others. */
  resume(now: number): void {
    this.#deliveredSentAt = now;
    this.#losses = 0;
    this.#probes = [];
  }

  /** How many packets of the safe size the next probes need; 0 while none are due. */
  probesDue(now: number): number {
    if (this.#probes.length > 0 || now < this.#probeAt) return 0;
    if (now >= this.#tooLargeUntil) this.#tooLarge = Number.POSITIVE_INFINITY;
    return this.#candidates.length;
  }

  get #candidates(): readonly number[] {
    return PROBE_SIZES.filter((size) => size > this.#size && size <= this.#interfaceLimit && size < this.#tooLarge);
  }

  /** @param transmit sends the next packet, padded to a size, and gives its number */
  probe(now: number, transmit: (size: number) => number): void {
    let before = this.#deps.fragmentsMade();
    for (const size of this.#candidates) {
      const number = transmit(size);
      const after = this.#deps.fragmentsMade();
      this.#fragments = after;
      if (after !== before) {
        this.#excludeFrom(size, now);
        break;
      }
      this.#probes.push({ number, size, fate: 'open' });
      before = after;
    }
    const [first] = this.#probes;
    if (first === undefined) {
      this.#endProbes(now, false);
      return;
    }
    const neighbours = [addToNumber(first.number, -1), addToNumber(first.number, this.#probes.length)];
    for (const number of neighbours) this.#probes.push({ number, size: SAFE_CRYPTO_DATA_SIZE, fate: 'open' });
  }

  /** Sends a packet again; while large ones get lost, it is looked now and then whether the system cuts them. */
  resend(packet: { readonly number: number; readonly size: number }, now: number, transmit: () => void): void {
    for (const probe of this.#probes) {
      if (probe.number === packet.number && probe.fate === 'open') probe.fate = 'sent again';
    }
    if (packet.size <= SAFE_CRYPTO_DATA_SIZE) {
      transmit();
      return;
    }
    this.#resent += 1;
    if (now >= this.#resentAt + MOMENT) {
      this.#moments += 1;
      this.#resentAt = now;
    }
    if (this.#losses === 0 || now < this.#resendCheckAt) {
      transmit();
      return;
    }
    this.#resendCheckAt = now + RESEND_CHECK_INTERVAL;
    const before = this.#deps.fragmentsMade();
    transmit();
    if (this.#deps.fragmentsMade() === before) return;
    this.#deps.log('has become too narrow for large packets, as the system has learned by ICMP');
    this.#fallBack(now);
    this.#excludeFrom(MAX_CRYPTO_DATA_SIZE, now);
    this.#probeAt = now;
  }

  /**
   * Looks at what a packet of the peer told.
   * @param fateOf of a packet by its number
   * @returns true when it shows a black hole
   */
  review(sample: AckSample, now: number, fateOf: (number: number) => Fate): boolean {
    if (this.#probes.length > 0) this.#reviewProbes(now, fateOf);
    if (this.#maxWhole === SAFE_CRYPTO_DATA_SIZE) return false;
    if (sample.largeDeliveredSentAt > this.#deliveredSentAt) {
      this.#deliveredSentAt = sample.largeDeliveredSentAt;
      if (now >= this.#checkAt) this.#checkFragments(now);
    }
    if (sample.largeLostSentAt > Number.NEGATIVE_INFINITY) {
      this.#checkAt = Math.min(this.#checkAt, now + this.#checkInterval * CHECK_AFTER_LOSS);
    }
    if (this.#deliveredSentAt > this.#lostSentAt) this.#losses = 0;
    const lostSentAt = sample.largeLostSentAt;
    if (lostSentAt <= this.#deliveredSentAt || lostSentAt < this.#lossAt) return false;
    this.#losses += this.#resent >= MANY || this.#moments >= SEVERAL_MOMENTS ? 2 : 1;
    this.#lostSentAt = lostSentAt;
    this.#lossAt = now;
    this.#resent = 0;
    this.#moments = 0;
    if (this.#losses < BLACK_HOLE_LOSSES) return false;
    this.#deps.log(`loses every large packet, so smaller ones go for ${this.#retry / 1000} s`);
    this.#fallBack(now);
    this.#probeAt = now + this.#retry;
    this.#retry = Math.min(RAISE_INTERVAL, this.#retry * 2);
    return true;
  }

  #reviewProbes(now: number, fateOf: (number: number) => Fate): void {
    for (const probe of this.#probes) {
      if (probe.fate !== 'open') continue;
      probe.fate = fateOf(probe.number);
      if (probe.fate === 'delivered') this.#size = Math.max(this.#size, probe.size);
    }
    const failed = this.#probes.filter(({ size }) => size > this.#size);
    if (failed.some(({ fate }) => fate === 'open')) return;
    const neighbours = this.#probes.filter(({ size }) => size === SAFE_CRYPTO_DATA_SIZE);
    const isClear =
      failed.every(({ fate }) => fate === 'lost') &&
      neighbours.every(({ fate }) => fate === 'delivered' || fate === 'open');
    if (isClear) for (const { size } of failed) this.#excludeFrom(size, now);
    this.#endProbes(now, !isClear);
  }

  /** @param isUnclear some of them may have been lost by chance */
  #endProbes(now: number, isUnclear: boolean): void {
    this.#probes = [];
    this.#deps.log(`takes packets of up to ${this.#size} bytes of data${isUnclear ? ', or more' : ''}`);
    if (this.#size === MAX_CRYPTO_DATA_SIZE || !isUnclear) this.#maxWhole = this.#size;
    this.#probeAt = isUnclear ? now + UNCLEAR_INTERVAL : this.#candidates.length > 0 ? now : this.#tooLargeUntil;
  }

  #excludeFrom(size: number, now: number): void {
    this.#tooLarge = Math.min(this.#tooLarge, size);
    this.#tooLargeUntil = now + RAISE_INTERVAL;
  }

  #fallBack(now: number): void {
    this.#size = SAFE_CRYPTO_DATA_SIZE;
    this.#maxWhole = SAFE_CRYPTO_DATA_SIZE;
    this.#losses = 0;
    this.#probes = [];
    this.#checkAt = now + this.#checkInterval;
  }

  /** Some fragments were made since the last look: of ours, or of another program's datagrams? Probes will tell. */
  #checkFragments(now: number): void {
    const fragments = this.#deps.fragmentsMade();
    if (fragments !== this.#fragments) {
      this.#fallBack(now);
      this.#checkInterval = Math.min(MAX_CHECK_INTERVAL, this.#checkInterval * 2);
      this.#probeAt = now;
    }
    this.#fragments = fragments;
    this.#checkAt = now + this.#checkInterval;
  }
}
