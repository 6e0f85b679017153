/**
 * Lossless packets from the moment they are taken until the peer has them: a ring that grows, with what is needed of each to
 * send it again and to measure how fast the path delivers (draft-cheng-iccrg-delivery-rate-estimation).
 *
 *     start ──── sent, some of them delivered ──── next ──── not sent yet ──── end
 */
import { readPacketRequest } from '../packet/net-crypto-request.js';
import { AckSample } from './ack-sample.js';
import { addToNumber, distanceBetween, nextNumber } from './packet-number.js';

/** Specification (CRYPTO_PACKET_BUFFER_SIZE): numbers that a receiver has room for. */
const MAX_NUMBERS = 32_768;

/** Implementation: half the receiver's room, and well below the 21,845 transmissions after which a nonce is lost. */
export const MAX_IN_FLIGHT_NUMBERS = 16_384;
/** Implementation: what a packet takes on the wire besides its data: 27 bytes of net_crypto, 8 of UDP, 20 of IPv4. */
export const WIRE_OVERHEAD = 55;
/** Implementation: a quiet connection holds no more than this many places. */
const FIRST_CAPACITY = 64;
/** Implementation: entries of the list of lost packets that are done with before the list is moved together. */
const LOST_COMPACTION = 4096;

/** A moment of the delivery: bytes delivered until then, and when the packet had been sent that was delivered then. */
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
  #mask = FIRST_CAPACITY - 1;
  #data: (Buffer | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
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
  /** Numbers reported missing, in the order of the reports; those delivered meanwhile are skipped. */
  #lost: number[] = [];
  #lostAt = 0;
  #delivered = 0;
  /** Where a measurement of the delivery rate may begin: the last such place, and the one before. */
  #mark: Mark = { delivered: 0, at: 0, sentAt: 0 };
  #previousMark: Mark = this.#mark;
  #inFlightBytes = 0;
  #unsentBytes = 0;
  #sample = new AckSample();
  #now = 0;
  #measurement = 0;
  #patience = 0;
  #patienceAgain = 0;

  /** @param first the number of the first packet; always 0 on the wire, tests begin near the wrap */
  constructor(first = 0) {
    this.#start = first;
    this.#next = first;
    this.#end = first;
  }

  /** The number after the last one sent, which is what the wire calls the end of our buffer. */
  get next(): number {
    return this.#next;
  }

  get start(): number {
    return this.#start;
  }

  /** Wire bytes sent of which we do not know whether they arrived. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Wire bytes taken and never sent. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  get hasUnsent(): boolean {
    return this.#next !== this.#end;
  }

  /** Whether something was sent that the peer has not confirmed. */
  get hasUnconfirmed(): boolean {
    return this.#start !== this.#next;
  }

  get isFull(): boolean {
    return distanceBetween(this.#start, this.#end) >= MAX_NUMBERS;
  }

  /** Whether a packet never sent before may go, as far as numbers are concerned. */
  get mayAdvance(): boolean {
    return this.#next !== this.#end && distanceBetween(this.#start, this.#next) < MAX_IN_FLIGHT_NUMBERS;
  }

  /** Takes a packet. @throws RangeError when full */
  push(data: Buffer): void {
    if (this.isFull) throw new RangeError('SendWindow: full');
    if (distanceBetween(this.#start, this.#end) > this.#mask) this.#grow();
    const at = this.#end & this.#mask;
    this.#data[at] = data;
    this.#state[at] = WAITING;
    this.#timesSent[at] = 0;
    this.#unsentBytes += data.length + WIRE_OVERHEAD;
    this.#end = nextNumber(this.#end);
  }

  /** The number to send again first, or undefined. */
  nextLost(): number | undefined {
    while (this.#lostAt < this.#lost.length) {
      const number = this.#lost[this.#lostAt] as number;
      const isHeld = distanceBetween(this.#start, number) < distanceBetween(this.#start, this.#next);
      if (isHeld && this.#state[number & this.#mask] === LOST) return number;
      this.#lostAt += 1;
      if (this.#lostAt === LOST_COMPACTION) {
        this.#lost.splice(0, this.#lostAt);
        this.#lostAt = 0;
      }
    }
    this.#lost.length = 0;
    this.#lostAt = 0;
    return undefined;
  }

  /** The lowest number that may be missing, for a probe; undefined when all arrived. */
  firstUndelivered(): number | undefined {
    for (let number = this.#start; number !== this.#next; number = nextNumber(number)) {
      if (this.#state[number & this.#mask] !== DELIVERED) return number;
    }
    return undefined;
  }

  dataOf(number: number): Buffer {
    return this.#data[number & this.#mask] as Buffer;
  }

  /** The packet goes out now, for the first time or again. @param isAppLimited more would be in flight if there were more */
  sent(number: number, now: number, isAppLimited: boolean): void {
    const at = number & this.#mask;
    const size = (this.#data[at] as Buffer).length + WIRE_OVERHEAD;
    if (this.#inFlightBytes === 0) {
      this.#mark = { delivered: this.#delivered, at: now, sentAt: now };
      this.#previousMark = this.#mark;
    }
    if (this.#state[at] !== IN_FLIGHT) this.#inFlightBytes += size;
    if (number === this.#next) {
      this.#unsentBytes -= size;
      this.#next = nextNumber(number);
    }
    this.#state[at] = IN_FLIGHT;
    this.#timesSent[at] = Math.min(255, (this.#timesSent[at] as number) + 1);
    this.#isAppLimited[at] = isAppLimited ? 1 : 0;
    this.#sentAt[at] = now;
    this.#priorDelivered[at] = this.#previousMark.delivered;
    this.#priorDeliveredAt[at] = this.#previousMark.at;
    this.#priorFirstSentAt[at] = this.#previousMark.sentAt;
    this.#roundDelivered[at] = this.#delivered;
  }

  /**
   * Begins to read what one packet of the peer tells.
   * @param measurement ms over which the delivery rate is to be measured, the round trip not counted
   * @returns what is found while it is read
   */
  beginAck(now: number, measurement: number): AckSample {
    this.#now = now;
    this.#measurement = measurement;
    this.#sample.reset();
    return this.#sample;
  }

  /** All before `upTo` arrived. Stale and absurd values are ignored. */
  acknowledge(upTo: number): void {
    const count = distanceBetween(this.#start, upTo);
    if (count === 0 || count > distanceBetween(this.#start, this.#next)) return;
    for (; this.#start !== upTo; this.#start = nextNumber(this.#start)) this.onReceived(this.#start);
    this.#finishAck();
  }

  /**
   * Reads a request packet (id 1).
   * @param patience ms that a packet is given before a report counts as its loss
   * @param patienceAgain the same for packets that were sent more than once
   */
  readRequest(data: Buffer, patience: number, patienceAgain: number): void {
    this.#patience = patience;
    this.#patienceAgain = patienceAgain;
    readPacketRequest(data, this.#start, this.#next, this);
    this.#finishAck();
  }

  onReceived(number: number): void {
    const at = number & this.#mask;
    const state = this.#state[at];
    if (state === DELIVERED) return;
    const size = (this.#data[at] as Buffer).length + WIRE_OVERHEAD;
    if (state === IN_FLIGHT) this.#inFlightBytes -= size;
    this.#state[at] = DELIVERED;
    this.#data[at] = undefined;
    this.#delivered += size;
    const sample = this.#sample;
    sample.ackedBytes += size;
    const sentAt = this.#sentAt[at] as number;
    if (sentAt < sample.sentAt) return;
    sample.sentAt = sentAt;
    sample.isAmbiguous = (this.#timesSent[at] as number) > 1;
    sample.isAppLimited = this.#isAppLimited[at] === 1;
    sample.roundDelivered = this.#roundDelivered[at] as number;
    sample.priorDelivered = this.#priorDelivered[at] as number;
    sample.priorDeliveredAt = this.#priorDeliveredAt[at] as number;
    sample.priorFirstSentAt = this.#priorFirstSentAt[at] as number;
  }

  onMissing(number: number): void {
    const at = number & this.#mask;
    if (this.#state[at] !== IN_FLIGHT) return;
    const patience = (this.#timesSent[at] as number) > 1 ? this.#patienceAgain : this.#patience;
    if ((this.#sentAt[at] as number) + patience > this.#now) return;
    const size = (this.#data[at] as Buffer).length + WIRE_OVERHEAD;
    this.#state[at] = LOST;
    this.#inFlightBytes -= size;
    this.#sample.lostBytes += size;
    this.#sample.lostPackets += 1;
    this.#lost.push(number);
  }

  #finishAck(): void {
    const sample = this.#sample;
    if (sample.ackedBytes === 0) return;
    sample.delivered = this.#delivered;
    if (this.#now - this.#mark.at < this.#measurement) return;
    this.#previousMark = this.#mark;
    this.#mark = { delivered: this.#delivered, at: this.#now, sentAt: sample.sentAt };
  }

  /** Doubles the ring; the places of what is held change with the mask. */
  #grow(): void {
    const old = {
      mask: this.#mask,
      data: this.#data,
      state: this.#state,
      timesSent: this.#timesSent,
      isAppLimited: this.#isAppLimited,
      sentAt: this.#sentAt,
      roundDelivered: this.#roundDelivered,
      priorDelivered: this.#priorDelivered,
      priorDeliveredAt: this.#priorDeliveredAt,
      priorFirstSentAt: this.#priorFirstSentAt,
    };
    const capacity = (old.mask + 1) * 2;
    this.#mask = capacity - 1;
    this.#data = new Array(capacity).fill(undefined);
    this.#state = new Uint8Array(capacity);
    this.#timesSent = new Uint8Array(capacity);
    this.#isAppLimited = new Uint8Array(capacity);
    this.#sentAt = new Float64Array(capacity);
    this.#roundDelivered = new Float64Array(capacity);
    this.#priorDelivered = new Float64Array(capacity);
    this.#priorDeliveredAt = new Float64Array(capacity);
    this.#priorFirstSentAt = new Float64Array(capacity);
    const held = distanceBetween(this.#start, this.#end);
    for (let offset = 0; offset < held; offset += 1) {
      const number = addToNumber(this.#start, offset);
      const from = number & old.mask;
      const to = number & this.#mask;
      this.#data[to] = old.data[from];
      this.#state[to] = old.state[from] as number;
      this.#timesSent[to] = old.timesSent[from] as number;
      this.#isAppLimited[to] = old.isAppLimited[from] as number;
      this.#sentAt[to] = old.sentAt[from] as number;
      this.#roundDelivered[to] = old.roundDelivered[from] as number;
      this.#priorDelivered[to] = old.priorDelivered[from] as number;
      this.#priorDeliveredAt[to] = old.priorDeliveredAt[from] as number;
      this.#priorFirstSentAt[to] = old.priorFirstSentAt[from] as number;
    }
  }
}
