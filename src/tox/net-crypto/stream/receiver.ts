/**
 * The receiving half of a session: puts lossless packets in order, and decides when to send the request packets that acknowledge
 * them. It handles numbers and time; the session seals packets.
 */
import type { MemoryShare } from '../../../base/memory-budget.js';
import { CryptoKind } from '../../packet/kind.js';
import { encodePacketRequest, isPacketRequest, type RequestForm } from '../../packet/net-crypto-request.js';
import { distanceBetween } from '../../packet/packet-number.js';
import type { Rtt } from '../congestion/rtt.js';
import { AckSchedule } from './ack-schedule.js';
import type { Features } from './features.js';
import { PacketHalves } from './packet-halves.js';
import { ReceiveBlackHole } from './receive-black-hole.js';
import { ReceiveWindow } from './receive-window.js';

interface ReceiverDeps {
  readonly memory: MemoryShare;
  readonly rtt: Pick<Rtt, 'smoothed'>;
  readonly features: Features;
  readonly state: {
    /** Whether the session is open; `onLossless` may close it. */
    isOpen(): boolean;
    /** Whether no other peer wakes us. */
    isAlone(): boolean;
    /** Whether much data of ours is under way, behind which our acks may wait. */
    isSending(): boolean;
  };
  /** A packet in order; the bytes belong to the receiver. */
  onLossless(data: Buffer): void;
  onLossy(data: Buffer): void;
}

/** ms for which a packet may be missing while later ones wait for it; the peer retransmits it each second. */
const HOLE_TIMEOUT = 60_000;
/** Round trips between two acks while we send, too: each takes room from our data, on a line that may be much slower that way. */
const SENDING_PAUSE = 1 / 4;
/** Most ms of it; the peer paces by acks. */
const LONGEST_SENDING_PAUSE = 25;
/** Lossy packets after which the peer hears from us: it stops after too many transmissions without any answer. */
const LOSSY_UNANSWERED = 2048;

export class Receiver {
  readonly #deps: ReceiverDeps;
  readonly #window: ReceiveWindow;
  readonly #acks = new AckSchedule();
  readonly #halves = new PacketHalves();
  readonly #blackHole = new ReceiveBlackHole();
  /** The missing packet that later ones wait for, and since when, ms. */
  #hole: { readonly number: number; readonly since: number } | undefined;
  #arrivals = 0;
  /** When the last lossless packet arrived, ms. */
  #arrivedAt = 0;
  /** Whether the last request packet said that we send, so that the peer takes no acks from data packets. */
  #hasSaidSending = false;
  #lossyArrivals = 0;

  constructor(deps: ReceiverDeps, firstNumber?: number) {
    this.#deps = deps;
    this.#window = new ReceiveWindow(deps.memory, firstNumber);
  }

  /** The lowest number that has not arrived; each packet of ours reports it. */
  get start(): number {
    return this.#window.start;
  }

  /** Lossless packets received so far, new or duplicate. */
  get arrivals(): number {
    return this.#arrivals;
  }

  /** An opened packet of the peer arrived. @param data with its id first */
  receive(number: number, data: Buffer, now: number): void {
    const id = data[0] as number;
    this.#deps.features.onReceived(id);
    if (id >= CryptoKind.FirstLossless && id <= CryptoKind.LastLossless) this.#receiveLossless(number, data, now);
    else if (id === CryptoKind.Part) this.#receiveHalf(number, data, now);
    else this.#receiveOther(number, data, now);
    const { start, hasHoles } = this.#window;
    this.#blackHole.onReceived(hasHoles ? start : undefined, data.length, now);
    if (this.#window.takeNewHole()) this.#acks.ackImmediately();
  }

  #receiveLossless(number: number, data: Buffer, now: number): void {
    this.#acks.onReceived(now);
    this.#arrivals += 1;
    this.#arrivedAt = now;
    if (this.#window.onReceived(number, data) !== 'next') return;
    let next: Buffer | undefined = data;
    while (next !== undefined && this.#deps.state.isOpen()) {
      this.#deps.onLossless(next);
      next = this.#window.takeNext();
    }
  }

  #receiveHalf(number: number, half: Buffer, now: number): void {
    const data = this.#halves.join(number, half);
    const id = data?.[0] ?? CryptoKind.Padding;
    if (data === undefined || id < CryptoKind.FirstLossless || id > CryptoKind.LastLossless) return;
    this.#receiveLossless(number, data, now);
  }

  /** Handles packets without a number of their own: they report how much the peer has sent. */
  #receiveOther(sent: number, data: Buffer, now: number): void {
    const { features, rtt, state } = this.#deps;
    const id = data[0] as number;
    const isLossy = id >= CryptoKind.FirstLossy && id <= CryptoKind.LastLossy;
    const isRequest = isPacketRequest(data);
    if (!isLossy && !isRequest && id !== CryptoKind.Features) return;
    this.#window.onAdvertised(sent);
    if (isLossy) this.#receiveLossy(data);
    else if (!isRequest && features.receive(data)) this.#acks.ackImmediately();
    else if (isRequest && state.isAlone()) this.#acks.follow(now, rtt.smoothed);
  }

  #receiveLossy(data: Buffer): void {
    this.#lossyArrivals += 1;
    if (this.#lossyArrivals % LOSSY_UNANSWERED === 0) this.#acks.ackImmediately();
    this.#deps.onLossy(data);
  }

  /** The next request packet is due at once. */
  ackImmediately(): void {
    this.#acks.ackImmediately();
  }

  /** A packet of ours was sent, which acknowledges all packets before the first missing one. */
  onPiggybacked(): void {
    if (!this.#isSending && !this.#hasSaidSending) this.#acks.onPiggybacked(this.#window.hasHoles);
  }

  /** When a request packet is due, ms of the clock. */
  get requestDueAt(): number {
    const { start, end } = this.#window;
    const { smoothed } = this.#deps.rtt;
    const pause = this.#isSending ? Math.min(LONGEST_SENDING_PAUSE, SENDING_PAUSE * smoothed) : 0;
    return this.#acks.dueAt(distanceBetween(start, end), smoothed, pause);
  }

  get #isSending(): boolean {
    return this.#deps.features.hasTimes && this.#deps.state.isSending();
  }

  buildRequest(): Buffer {
    const { start, end } = this.#window;
    return encodePacketRequest(start, end, this.#isMissing, this.#requestForm);
  }

  get #requestForm(): RequestForm {
    const { features } = this.#deps;
    this.#hasSaidSending = this.#isSending;
    if (features.hasTimes) return { time: Math.round(this.#arrivedAt * 1000) >>> 0, isSending: this.#hasSaidSending };
    return features.hasListEnd ? CryptoKind.RequestWithEnd : CryptoKind.Request;
  }

  readonly #isMissing = (number: number): boolean => this.#window.isMissing(number);

  onRequestSent(now: number): void {
    this.#acks.onRequestSent(now);
  }

  /** Whether packets have waited for an earlier one so long that the peer will not send it. */
  isStuck(now: number): boolean {
    const { start, heldBytes } = this.#window;
    if (heldBytes === 0) this.#hole = undefined;
    else if (this.#hole?.number !== start) this.#hole = { number: start, since: now };
    return this.#hole !== undefined && now - this.#hole.since >= HOLE_TIMEOUT;
  }

  /** Whether large packets of the peer do not arrive, and the peer, not being of our kind, sends no smaller ones. */
  get isInBlackHole(): boolean {
    return !this.#deps.features.isOurKind && this.#blackHole.isLikely;
  }

  /** Releases all memory. */
  close(): void {
    this.#window.close();
  }
}
