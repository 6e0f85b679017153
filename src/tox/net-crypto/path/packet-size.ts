/**
 * The packet size of one UDP path (RFC 8899). It begins with a size that passes everywhere. As soon as there is much to send, the
 * next packets are padded to larger sizes, all in one tick, before the system can learn by ICMP to fragment them; the largest
 * that arrives becomes the packet size. Sizes are bytes of data, padding included.
 *
 * Node cannot set the DF bit. Linux sets it until it learns a smaller path MTU (IP_PMTUDISC_WANT), and then fragments, which the
 * system's counters show: a fragmented packet does not prove its size.
 *
 * A black hole drops large packets silently. It shows when large packets are lost repeatedly while the peer reports each loss,
 * since small packets get through.
 */
import type { Endpoint } from '../../../base/endpoint.js';
import type { Logger } from '../../../base/logger.js';
import {
  EXTENDED_CRYPTO_DATA_SIZE,
  MAX_CRYPTO_DATA_SIZE,
  MAX_CRYPTO_PACKET_SIZE,
  SAFE_CRYPTO_DATA_SIZE,
} from '../../packet/net-crypto.js';
import { addToNumber } from '../../packet/packet-number.js';
import type { AckSample } from '../congestion/ack-sample.js';
import type { Route } from './route.js';

/** What is known about a sent packet. */
export type Fate = 'open' | 'delivered' | 'lost';

/**
 * Probed sizes: 1,260 bytes of IPv4 or 1,280 of IPv6, the least that IPv6 allows; 1,396 or 1,416, for tunnels and DSL; c-toxcore's
 * most; 1,476 for PPPoE over IPv4, or 1,496 for Ethernet over IPv6; and 1,500 of IPv4. All are probed at once: before later probes, ICMP
 * may have made the system fragment them. Then the smallest one that was lost is probed again.
 */
const PROBE_SIZES = [1205, 1341, MAX_CRYPTO_DATA_SIZE, 1421, EXTENDED_CRYPTO_DATA_SIZE] as const;
/** Specification (RFC 8899, PMTU_RAISE_TIMER): ms. A little more than 600 s, for which Linux remembers a path MTU from ICMP. */
const RAISE_INTERVAL = 660_000;
/** Specification (RFC 8899, MAX_PROBES): losses of a size, after which it is too large. Three at random in a row are improbable. */
const MAX_PROBES = 3;
/** ms after which a size is probed again that was lost; losses together with packets of the safe size do not count. */
const PROBE_INTERVAL = 1000;
/** ms after a black hole until larger sizes are probed again, doubled each time: a long burst of loss looks the same. */
const FIRST_RETRY = 5000;
/**
 * Losses in a row, with no large packet delivered, that indicate a black hole. Retransmissions lost between two reports of the
 * peer count once; twice if there were many, or at several moments. They count no more than that, since a complete outage
 * loses any number of packets, and then one report lists them all.
 */
const BLACK_HOLE_LOSSES = 4;
const MANY = 16;
const SEVERAL_MOMENTS = 2;
/** ms apart from which two losses count as separate moments. */
const MOMENT = 100;
/** ms between checks of the system's counters while large packets are sent, doubled by each false alarm. */
const CHECK_INTERVAL = 2000;
/** The part of that interval after which a lost large packet leads to a check, since ICMP may have reported why. */
const CHECK_AFTER_LOSS = 1 / 40;
const MAX_CHECK_INTERVAL = 64_000;
/** ms between checks while large packets are retransmitted: reading the counters before and after takes 0.2 ms each. */
const RESEND_CHECK_INTERVAL = 25;

/** What an interface takes until its MTU is known, bytes of IP: the system may divide larger packets, and not tell. */
const ETHERNET_MTU = 1500;

/** Bytes besides the data of a packet. */
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;
const CRYPTO_OVERHEAD = MAX_CRYPTO_PACKET_SIZE - MAX_CRYPTO_DATA_SIZE;

/** The packets before and after the probes are watched, too: if they are lost, the probes may have been lost at random. */
interface Probe {
  readonly number: number;
  readonly size: number;
  fate: Fate | 'sent again';
}

/** What a peer takes. */
interface Reception {
  /** Bytes of data in a packet. */
  readonly maxData: number;
  /** Whether it reads halves of packets. */
  readonly hasParts: boolean;
}

interface PacketSizeDeps {
  /** Returns the fragments that the system has made, of the datagrams of all programs; always 0 if unknown. */
  fragmentsMade(): number;
  /** Returns what the peer takes. */
  peer(): Reception;
  /** Writes to the log. */
  log(text: string): void;
}

export class PacketSize {
  readonly #deps: PacketSizeDeps;
  #size: number = SAFE_CRYPTO_DATA_SIZE;
  /** Data is not known to be lost up to this size. */
  #maxWhole: number = EXTENDED_CRYPTO_DATA_SIZE;
  /** The limit of our own interface. */
  #interfaceLimit = Number.POSITIVE_INFINITY;
  #probes: Probe[] = [];
  #probeAt = Number.NEGATIVE_INFINITY;
  /** What the peer took when the last probes were chosen. */
  #probedMax = 0;
  /** The smallest size that did not pass, and until when it is excluded. */
  #tooLarge = Number.POSITIVE_INFINITY;
  /** The smallest size that was lost, and how often. */
  #doubted: { readonly size: number; readonly losses: number } | undefined;
  #tooLargeUntil = Number.POSITIVE_INFINITY;
  #retry = FIRST_RETRY;
  /** When the last delivered and the last lost large packet were sent. */
  #deliveredSentAt: number;
  #lostSentAt = Number.NEGATIVE_INFINITY;
  /** Losses that count towards a black hole, when the last was reported, and large packets retransmitted since. */
  #losses = 0;
  #lossAt = Number.NEGATIVE_INFINITY;
  #resent = 0;
  #moments = 0;
  #resentAt = Number.NEGATIVE_INFINITY;
  #fragments = 0;
  #checkAt: number;
  #checkInterval = CHECK_INTERVAL;
  /** When the next retransmission of a large packet is checked. */
  #resendCheckAt = Number.NEGATIVE_INFINITY;

  /** @param now ms; earlier packets did not take this path */
  constructor(deps: PacketSizeDeps, now: number) {
    this.#deps = deps;
    this.#deliveredSentAt = now;
    this.#checkAt = now;
    this.#fragments = deps.fragmentsMade();
  }

  /** Largest size of a packet, bytes of data. */
  get size(): number {
    return this.#size;
  }

  /**
   * Bytes of data above which a packet is not sent whole. A peer that takes halves gets them for all that is not proven to pass,
   * such as data that was taken for an earlier path; to others it is sent whole until it is known to be lost.
   */
  get maxWhole(): number {
    return this.#deps.peer().hasParts ? this.#size : this.#maxWhole;
  }

  /** Sets the limit of our own interface, bytes of data. */
  limit(most: number): void {
    this.#interfaceLimit = Math.max(SAFE_CRYPTO_DATA_SIZE, most);
    this.#maxWhole = Math.min(this.#maxWhole, this.#interfaceLimit);
  }

  /** The path is in use again, after others. */
  resume(now: number): void {
    this.#deliveredSentAt = now;
    this.#losses = 0;
    this.#probes = [];
  }

  /** Returns how many packets of at most `size` bytes the next probes need; 0 while none are due. */
  probesDue(now: number): number {
    if (this.#probes.length > 0 || (now < this.#probeAt && this.#probedMax === this.#deps.peer().maxData)) return 0;
    if (now >= this.#tooLargeUntil) this.#tooLarge = Number.POSITIVE_INFINITY;
    return this.#candidates.length;
  }

  get #candidates(): readonly number[] {
    const most = Math.min(this.#interfaceLimit, this.#deps.peer().maxData);
    const sizes = PROBE_SIZES.filter((size) => size > this.#size && size <= most && size < this.#tooLarge);
    return this.#doubted === undefined ? sizes : sizes.filter((size) => size === this.#doubted?.size);
  }

  /** @param transmit sends the next packet, padded to a size, and returns its number */
  probe(now: number, transmit: (size: number) => number): void {
    this.#probedMax = this.#deps.peer().maxData;
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

  /** Retransmits a packet; while large ones are lost, checks now and then whether the system fragments them. */
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
    this.#deps.log('no longer takes large packets, as ICMP reported');
    this.#excludeFrom(this.#size, now);
    this.#fallBack(now);
    this.#probeAt = now;
  }

  /**
   * Evaluates what a packet of the peer reported.
   * @param fateOf returns the fate of a packet by its number
   * @returns whether it reveals a black hole
   */
  review(sample: AckSample, now: number, fateOf: (number: number) => Fate): boolean {
    if (this.#probes.length > 0) this.#reviewProbes(now, fateOf);
    if (this.maxWhole === SAFE_CRYPTO_DATA_SIZE) return false;
    if (sample.large.deliveredSentAt > this.#deliveredSentAt) {
      this.#deliveredSentAt = sample.large.deliveredSentAt;
      if (now >= this.#checkAt) this.#checkFragments(now);
    }
    if (sample.large.lostSentAt > Number.NEGATIVE_INFINITY) {
      this.#checkAt = Math.min(this.#checkAt, now + this.#checkInterval * CHECK_AFTER_LOSS);
    }
    if (this.#deliveredSentAt > this.#lostSentAt) this.#losses = 0;
    const lostSentAt = sample.large.lostSentAt;
    if (lostSentAt <= this.#deliveredSentAt || lostSentAt < this.#lossAt) return false;
    this.#losses += this.#resent >= MANY || this.#moments >= SEVERAL_MOMENTS ? 2 : 1;
    this.#lostSentAt = lostSentAt;
    this.#lossAt = now;
    this.#resent = 0;
    this.#moments = 0;
    if (this.#losses < BLACK_HOLE_LOSSES) return false;
    this.#deps.log(`loses every large packet, so smaller ones are sent for ${this.#retry / 1000} s`);
    this.#fallBack(now);
    this.#probeAt = now + this.#retry;
    this.#retry = Math.min(RAISE_INTERVAL, this.#retry * 2);
    return true;
  }

  #reviewProbes(now: number, fateOf: (number: number) => Fate): void {
    for (const probe of this.#probes) {
      if (probe.fate !== 'open') continue;
      probe.fate = fateOf(probe.number);
      if (probe.fate === 'delivered') this.#grow(probe.size);
    }
    const failed = this.#probes.filter(({ size }) => size > this.#size);
    if (failed.some(({ fate }) => fate === 'open')) return;
    const neighbours = this.#probes.filter(({ size }) => size === SAFE_CRYPTO_DATA_SIZE);
    const isClear =
      failed.every(({ fate }) => fate === 'lost') &&
      neighbours.every(({ fate }) => fate === 'delivered' || fate === 'open');
    const [smallest] = failed;
    if (isClear && smallest !== undefined) this.#noteLost(smallest.size, now);
    this.#endProbes(now, !isClear || this.#doubted !== undefined);
  }

  #noteLost(size: number, now: number): void {
    const losses = (this.#doubted?.size === size ? this.#doubted.losses : 0) + 1;
    if (losses < MAX_PROBES) this.#doubted = { size, losses };
    else this.#excludeFrom(size, now);
  }

  #grow(size: number): void {
    this.#size = Math.max(this.#size, size);
    this.#maxWhole = Math.max(this.#maxWhole, size);
    if (this.#size >= (this.#doubted?.size ?? Number.POSITIVE_INFINITY)) this.#doubted = undefined;
  }

  /** @param isUnclear whether some probes may have been lost at random */
  #endProbes(now: number, isUnclear: boolean): void {
    this.#probes = [];
    this.#deps.log(`takes packets of up to ${this.#size} bytes of data${isUnclear ? ', or more' : ''}`);
    if (this.#size === this.#deps.peer().maxData || !isUnclear) this.#maxWhole = this.#size;
    this.#probeAt = isUnclear ? now + PROBE_INTERVAL : this.#candidates.length > 0 ? now : this.#tooLargeUntil;
  }

  #excludeFrom(size: number, now: number): void {
    this.#tooLarge = Math.min(this.#tooLarge, size);
    this.#tooLargeUntil = now + RAISE_INTERVAL;
    this.#doubted = undefined;
  }

  #fallBack(now: number): void {
    this.#size = SAFE_CRYPTO_DATA_SIZE;
    this.#maxWhole = SAFE_CRYPTO_DATA_SIZE;
    this.#losses = 0;
    this.#probes = [];
    this.#doubted = undefined;
    this.#checkAt = now + this.#checkInterval;
  }

  /** Fragments made since the last check may be ours or another program's: new probes show which. */
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

interface PacketSizesDeps extends Pick<PacketSizeDeps, 'fragmentsMade'> {
  readonly log: Pick<Logger, 'debug'>;
  /** Returns the MTU of the interface towards a destination, bytes of IP; undefined if unknown. Never rejects. */
  mtuTowards(destination: Endpoint): Promise<number | undefined>;
}

/** The packet sizes of the routes of one connection; only UDP routes have one, since a relay's stream takes any packet. */
export class PacketSizes {
  readonly #deps: PacketSizesDeps;
  readonly #peer: PacketSizeDeps['peer'];
  readonly #sizes = new WeakMap<Route, PacketSize>();
  #route: Route | undefined;
  #chosen: PacketSize | undefined;

  constructor(deps: PacketSizesDeps, peer: PacketSizeDeps['peer']) {
    this.#deps = deps;
    this.#peer = peer;
  }

  /** Packets take this route now. @param now ms */
  choose(route: Route | undefined, now: number): void {
    this.#route = route;
    this.#chosen = undefined;
    if (route === undefined || route.kind === 'relay') return;
    this.#chosen = this.#sizes.get(route);
    this.#chosen?.resume(now);
    this.#chosen ??= this.#begin(route, now);
  }

  #begin(route: Route, now: number): PacketSize {
    const { endpoint } = route;
    const size = new PacketSize(
      {
        fragmentsMade: () => this.#deps.fragmentsMade(),
        peer: this.#peer,
        log: (text) => this.#deps.log.debug(`the path to ${endpoint} ${text}`),
      },
      now,
    );
    this.#sizes.set(route, size);
    if (endpoint === undefined) return size;
    const headers = (endpoint.family === 4 ? IPV4_HEADER : IPV6_HEADER) + UDP_HEADER + CRYPTO_OVERHEAD;
    size.limit(ETHERNET_MTU - headers);
    void this.#deps.mtuTowards(endpoint).then((mtu) => {
      if (mtu !== undefined) size.limit(mtu - headers);
    });
    return size;
  }

  /** The packet size of the route in use, if it is over UDP. */
  get chosen(): PacketSize | undefined {
    return this.#chosen;
  }

  /** Largest size of a packet, bytes of data. */
  get size(): number {
    if (this.#chosen !== undefined) return this.#chosen.size;
    return this.#route === undefined ? SAFE_CRYPTO_DATA_SIZE : MAX_CRYPTO_DATA_SIZE;
  }

  /** Whether data must not be sent whole. */
  isTooLarge(data: Buffer): boolean {
    return this.#chosen !== undefined && data.length > this.#chosen.maxWhole;
  }
}
