/**
 * Lossless packets from the moment they are taken until they are acknowledged: a ring that grows, with what is needed to retransmit
 * each packet and to measure the delivery rate of the path (draft-cheng-iccrg-delivery-rate-estimation).
 *
 *     start ──── sent, some of them delivered ──── next ──── not sent yet ──── end
 */
import type { MemoryShare } from '../../../base/memory-budget.js';
import { SAFE_CRYPTO_DATA_SIZE, WIRE_OVERHEAD } from '../../packet/net-crypto.js';
import { readPacketRequest } from '../../packet/net-crypto-request.js';
import {
  addToNumber,
  distanceBetween,
  MAX_IN_FLIGHT_NUMBERS,
  MAX_NUMBERS,
  nextNumber,
} from '../../packet/packet-number.js';
import { AckSample, ackDelayOf } from '../congestion/ack-sample.js';
import type { Fate } from '../path/packet-size.js';
import { LossDetection, type ReorderingWindow, type Transmission } from './loss-detection.js';
import { LossyBytes } from './lossy-bytes.js';
import { LostNumbers } from './lost-numbers.js';
import { PacketMemory, type PacketPlace } from './packet-memory.js';

/** Places in the ring of a quiet connection. */
const FIRST_CAPACITY = 64;
/** A ring with only this part in use is shrunk by halves; it then has room to double its content. */
const SHRINK_AT = 8;
/**
 * Bytes that a number costs from the time when its packet is taken until all packets before it have arrived, too: a long
 * packet, its objects and its places in the rings.
 */
const NUMBER_COST = 1_780;

/** Wire size above which a packet does not pass everywhere. */
const LARGE = SAFE_CRYPTO_DATA_SIZE + WIRE_OVERHEAD;

/** A point of the delivery: bytes delivered by then, and when the packet delivered then was sent. */
interface Mark {
  readonly delivered: number;
  readonly at: number;
  readonly sentAt: number;
}

const DELIVERED = 0;
const WAITING = 1;
const IN_FLIGHT = 2;
const LOST = 3;

export class SendWindow {
  readonly #share: MemoryShare;
  readonly #lossy: LossyBytes;
  #mask = FIRST_CAPACITY - 1;
  readonly #memory: PacketMemory;
  #places: (PacketPlace | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
  #state = new Uint8Array(FIRST_CAPACITY);
  #timesSent = new Uint8Array(FIRST_CAPACITY);
  #isAppLimited = new Uint8Array(FIRST_CAPACITY);
  #sentAt = new Float64Array(FIRST_CAPACITY);
  /** Bytes delivered when the packet was sent, and the mark from which its delivery rate is measured. */
  #roundDelivered = new Float64Array(FIRST_CAPACITY);
  #priorDelivered = new Float64Array(FIRST_CAPACITY);
  #priorDeliveredAt = new Float64Array(FIRST_CAPACITY);
  #priorFirstSentAt = new Float64Array(FIRST_CAPACITY);
  #start: number;
  #next: number;
  #end: number;
  /** All packets from the start to here have arrived. */
  #undelivered: number;
  readonly #lost = new LostNumbers();
  #delivered = 0;
  /** Where a measurement of the delivery rate may begin: the last such point, and the one before. */
  #mark: Mark = { delivered: 0, at: 0, sentAt: 0 };
  #previousMark: Mark = this.#mark;
  /** Whether the peer's last list was cut off: packets that arrived are missing in it, so no measurement may begin. */
  #isListCut = false;
  #inFlightBytes = 0;
  /** Packets sent before this many bytes were delivered are app-limited; 0 while none are. */
  #appLimitedUntil = 0;
  #unsentBytes = 0;
  #sample = new AckSample();
  #now = 0;
  #measurement = 0;
  readonly #lossDetection = new LossDetection();
  #smallestRtt = 0;
  #maxAckDelay = 0;

  /**
   * @param share of the memory for what all connections have to send
   * @param first the number of the first packet; always 0 on the wire, tests begin near the wrap
   * @param lossy what is sent beside these packets
   * @param memory of the packets of all connections
   */
  constructor(share: MemoryShare, first = 0, lossy = new LossyBytes(), memory = new PacketMemory()) {
    this.#share = share;
    this.#lossy = lossy;
    this.#memory = memory;
    this.#start = first;
    this.#next = first;
    this.#end = first;
    this.#undelivered = first;
  }

  /** The number after the last one sent, called the end of our buffer in the specification. */
  get next(): number {
    return this.#next;
  }

  get start(): number {
    return this.#start;
  }

  /** Wire bytes sent and neither acknowledged nor lost, with those of lossy packets beside them. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Wire bytes taken and never sent. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Packets taken and never sent. */
  get unsent(): number {
    return distanceBetween(this.#next, this.#end);
  }

  /** Whether a packet was sent that the peer has not acknowledged. */
  get hasUnacked(): boolean {
    return this.#start !== this.#next;
  }

  get isFull(): boolean {
    return distanceBetween(this.#start, this.#end) >= MAX_NUMBERS;
  }

  /** Whether the memory shared with other connections has room for one more packet. */
  get hasMemory(): boolean {
    return this.#share.hasRoomFor(NUMBER_COST);
  }

  /** Whether the numbers in flight allow a new packet. */
  get mayAdvance(): boolean {
    return this.#next !== this.#end && distanceBetween(this.#start, this.#next) < MAX_IN_FLIGHT_NUMBERS;
  }

  /** Takes a copy of a packet. @throws RangeError when full */
  push(data: Buffer): void {
    if (this.isFull) throw new RangeError('SendWindow: full');
    if (distanceBetween(this.#start, this.#end) > this.#mask) this.#resize((this.#mask + 1) * 2);
    this.#share.add(NUMBER_COST);
    const at = this.#end & this.#mask;
    this.#places[at] = this.#memory.take(data);
    this.#state[at] = WAITING;
    this.#timesSent[at] = 0;
    this.#unsentBytes += data.length + WIRE_OVERHEAD;
    this.#end = nextNumber(this.#end);
  }

  /** Returns the number to retransmit first; undefined for none. */
  nextLost(): number | undefined {
    return this.#lost.first(this.#isLost);
  }

  readonly #isLost = (number: number): boolean => {
    const isHeld = distanceBetween(this.#start, number) < distanceBetween(this.#start, this.#next);
    return isHeld && this.#state[number & this.#mask] === LOST;
  };

  /** Returns the lowest lost number, if it is among the first `count`; the list may begin with a later one. */
  firstLost(count: number): number | undefined {
    if (this.nextLost() === undefined) return undefined;
    const most = Math.min(count, distanceBetween(this.#start, this.#next));
    for (let offset = 0; offset < most; offset += 1) {
      const number = addToNumber(this.#start, offset);
      if (this.#state[number & this.#mask] === LOST) return number;
    }
    return undefined;
  }

  /** Returns the lowest number that may be missing, for a probe; undefined if all packets arrived. */
  firstUndelivered(): number | undefined {
    const sent = distanceBetween(this.#start, this.#next);
    // Starts at the last result: thousands of packets may have arrived before it, and each tick asks for it.
    let offset = distanceBetween(this.#start, this.#undelivered);
    while (offset < sent && this.#state[addToNumber(this.#start, offset) & this.#mask] === DELIVERED) offset += 1;
    this.#undelivered = addToNumber(this.#start, offset);
    return offset < sent ? this.#undelivered : undefined;
  }

  dataOf(number: number): Buffer {
    return (this.#places[number & this.#mask] as PacketPlace).data;
  }

  /** Returns how often a held packet was sent, counted up to 255. */
  timesSent(number: number): number {
    return this.#timesSent[number & this.#mask] as number;
  }

  fateOf(number: number): Fate {
    if (distanceBetween(this.#start, number) >= distanceBetween(this.#start, this.#next)) return 'delivered';
    const state = this.#state[number & this.#mask];
    return state === DELIVERED ? 'delivered' : state === LOST ? 'lost' : 'open';
  }

  /** The path has room and there is no data: packets sent until everything in flight is delivered are app-limited. */
  markAppLimited(): void {
    this.#appLimitedUntil = Math.max(1, this.#delivered + this.#inFlightBytes);
  }

  /** The packet is sent now, for the first time or again. */
  onSent(number: number, now: number): void {
    const at = number & this.#mask;
    const size = this.dataOf(number).length + WIRE_OVERHEAD;
    if (this.#inFlightBytes === 0) {
      this.#mark = { delivered: this.#delivered, at: now, sentAt: now };
      this.#previousMark = this.#mark;
    }
    if (this.#state[at] !== IN_FLIGHT) this.#inFlightBytes += size;
    if (number === this.#next) {
      this.#inFlightBytes += this.#lossy.join(number);
      this.#unsentBytes -= size;
      this.#next = nextNumber(number);
    }
    this.#state[at] = IN_FLIGHT;
    this.#timesSent[at] = Math.min(255, (this.#timesSent[at] as number) + 1);
    this.#isAppLimited[at] = this.#appLimitedUntil > 0 ? 1 : 0;
    this.#sentAt[at] = now;
    this.#priorDelivered[at] = this.#previousMark.delivered;
    this.#priorDeliveredAt[at] = this.#previousMark.at;
    this.#priorFirstSentAt[at] = this.#previousMark.sentAt;
    this.#roundDelivered[at] = this.#delivered;
  }

  /**
   * Begins to read one packet of the peer.
   * @param measurement ms over which the delivery rate is measured, besides the round trip
   * @param smallestRtt ms; a copy acknowledged sooner was sent too late to be the one that arrived
   * @param maxAckDelay ms by which the ack was delayed at most
   * @returns the sample that the reading fills
   */
  beginAck(now: number, measurement: number, smallestRtt: number, maxAckDelay = 0): AckSample {
    this.#now = now;
    this.#maxAckDelay = maxAckDelay;
    this.#measurement = measurement;
    this.#smallestRtt = smallestRtt;
    this.#sample.reset();
    return this.#sample;
  }

  /** All packets before `upTo` arrived. Stale and absurd values are ignored. */
  acknowledge(upTo: number): void {
    const count = distanceBetween(this.#start, upTo);
    if (count === 0 || count > distanceBetween(this.#start, this.#next)) return;
    if (distanceBetween(this.#start, this.#undelivered) < count) this.#undelivered = upTo;
    for (; this.#start !== upTo; this.#start = nextNumber(this.#start)) this.onReceived(this.#start);
    this.#share.add(-count * NUMBER_COST);
    this.#shrink();
    this.#finishAck();
  }

  /** The ms by which the peer's own data delayed the ack that was read. */
  get ackDelay(): number {
    return ackDelayOf(this.#sample, this.#maxAckDelay, this.#now, this.#smallestRtt);
  }

  /** Reads a request packet (id 1 or 4). */
  readRequest(data: Buffer, reorderingWindow: ReorderingWindow): void {
    this.#isListCut = data.length >= SAFE_CRYPTO_DATA_SIZE;
    this.#lossDetection.begin(reorderingWindow);
    readPacketRequest(data, this.#start, this.#next, this);
    this.detectLost();
    this.#finishAck();
  }

  /** When the next missing packet is declared lost, ms of the clock; Infinity while there is none. */
  get lossDueAt(): number {
    return this.#lossDetection.dueAt;
  }

  /** Finds which packets of the last list are lost by now, and adds them to the sample. */
  detectLost(): void {
    this.#lossDetection.detectLost(this.#now, this.#findInFlight, this.#lose);
  }

  readonly #findInFlight = (number: number): Transmission | undefined => {
    const at = number & this.#mask;
    const isHeld = distanceBetween(this.#start, number) < distanceBetween(this.#start, this.#next);
    if (!isHeld || this.#state[at] !== IN_FLIGHT) return undefined;
    return { number, sentAt: this.#sentAt[at] as number, timesSent: this.#timesSent[at] as number };
  };

  onReceived(number: number): void {
    const at = number & this.#mask;
    const state = this.#state[at];
    if (state === DELIVERED) return;
    const place = this.#places[at] as PacketPlace;
    const size = place.data.length + WIRE_OVERHEAD;
    if (state === IN_FLIGHT) this.#inFlightBytes -= size;
    this.#endLossy(number);
    this.#state[at] = DELIVERED;
    this.#places[at] = undefined;
    this.#memory.release(place);
    this.#delivered += size;
    const sample = this.#sample;
    sample.ackedBytes += size;
    const sentAt = this.#sentAt[at] as number;
    const timesSent = this.#timesSent[at] as number;
    const isEarly = this.#lossDetection.onDelivered({ number, sentAt, timesSent }, this.#now, this.#smallestRtt);
    if (isEarly || state === LOST) sample.reorderedPackets += 1;
    if (size > LARGE) sample.large.deliveredSentAt = Math.max(sample.large.deliveredSentAt, sentAt);
    if (sentAt < sample.sentAt) return;
    sample.sentAt = sentAt;
    sample.number = number;
    sample.isAmbiguous = timesSent > 1;
    sample.isAppLimited = this.#isAppLimited[at] === 1;
    sample.roundDelivered = this.#roundDelivered[at] as number;
    sample.priorDelivered = this.#priorDelivered[at] as number;
    sample.priorDeliveredAt = this.#priorDeliveredAt[at] as number;
    sample.priorFirstSentAt = this.#priorFirstSentAt[at] as number;
  }

  onMissing(number: number): void {
    if (this.#state[number & this.#mask] === IN_FLIGHT) this.#lossDetection.reportMissing(number);
  }

  readonly #lose = (number: number): void => {
    const at = number & this.#mask;
    const size = this.dataOf(number).length + WIRE_OVERHEAD;
    this.#state[at] = LOST;
    this.#inFlightBytes -= size;
    this.#endLossy(number);
    const sample = this.#sample;
    sample.lostBytes += size;
    sample.lostPackets += 1;
    const sentAt = this.#sentAt[at] as number;
    sample.lostSentAt = Math.max(sample.lostSentAt, sentAt);
    if (size > LARGE) sample.large.lostSentAt = Math.max(sample.large.lostSentAt, sentAt);
    this.#lost.add(number);
  };

  #endLossy(number: number): void {
    const bytes = this.#lossy.end(number);
    this.#inFlightBytes -= bytes;
    this.#delivered += bytes;
  }

  #finishAck(): void {
    const sample = this.#sample;
    if (sample.ackedBytes === 0) return;
    sample.delivered = this.#delivered;
    if (this.#delivered > this.#appLimitedUntil) this.#appLimitedUntil = 0;
    if (this.#start === this.#next) this.#isListCut = false;
    const at = this.#now - this.ackDelay;
    if (this.#isListCut || at - this.#mark.at < this.#measurement) return;
    const mark = { delivered: this.#delivered, at, sentAt: sample.sentAt };
    this.#previousMark = this.#measurement > 0 ? this.#mark : mark;
    this.#mark = mark;
  }

  /** Drops everything and releases its memory. */
  close(): void {
    for (const place of this.#places) if (place !== undefined) this.#memory.release(place);
    this.#start = this.#end;
    this.#next = this.#end;
    this.#lost.clear();
    this.#resize(FIRST_CAPACITY);
    this.#share.releaseAll();
  }

  #shrink(): void {
    const held = distanceBetween(this.#start, this.#end);
    let capacity = this.#mask + 1;
    while (capacity > FIRST_CAPACITY && held * SHRINK_AT <= capacity) capacity /= 2;
    if (capacity <= this.#mask) this.#resize(capacity);
  }

  /** Moves the held packets to their places under the new mask. */
  #resize(capacity: number): void {
    const oldMask = this.#mask;
    const held = distanceBetween(this.#start, this.#end);
    const move = <Ring extends Record<number, unknown>>(old: Ring, ring: Ring): Ring => {
      for (let offset = 0; offset < held; offset += 1) {
        const number = addToNumber(this.#start, offset);
        ring[number & (capacity - 1)] = old[number & oldMask];
      }
      return ring;
    };
    this.#mask = capacity - 1;
    this.#places = move(this.#places, new Array(capacity).fill(undefined));
    this.#state = move(this.#state, new Uint8Array(capacity));
    this.#timesSent = move(this.#timesSent, new Uint8Array(capacity));
    this.#isAppLimited = move(this.#isAppLimited, new Uint8Array(capacity));
    this.#sentAt = move(this.#sentAt, new Float64Array(capacity));
    this.#roundDelivered = move(this.#roundDelivered, new Float64Array(capacity));
    this.#priorDelivered = move(this.#priorDelivered, new Float64Array(capacity));
    this.#priorDeliveredAt = move(this.#priorDeliveredAt, new Float64Array(capacity));
    this.#priorFirstSentAt = move(this.#priorFirstSentAt, new Float64Array(capacity));
  }
}
