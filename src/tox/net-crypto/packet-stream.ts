/**
 * The packets of a session: lossless packets in order in both directions, lossy ones, and the request packets that keep the
 * two ends in step. It handles numbers and time; the connection seals packets and chooses routes.
 */
import type { MemoryShare } from '../../base/memory-budget.js';
import { CryptoKind } from '../packet/kind.js';
import { type DataContent, encodeParts, MAX_CRYPTO_DATA_SIZE } from '../packet/net-crypto.js';
import { encodePacketRequest } from '../packet/net-crypto-request.js';
import { AckSchedule } from './ack-schedule.js';
import type { SavedPath } from './careful-resume.js';
import { Congestion } from './congestion.js';
import { Features } from './features.js';
import { PacketHalves } from './packet-halves.js';
import { distanceBetween } from './packet-number.js';
import type { PacketSize } from './packet-size.js';
import { ReceiveBlackHole } from './receive-black-hole.js';
import { ReceiveWindow } from './receive-window.js';
import { Rtt } from './rtt.js';
import { SendWindow } from './send-window.js';
import { Sender } from './sender.js';

export interface PacketStreamDeps {
  /** Shares of the memory of all connections for packets that wait for earlier ones, and for unacknowledged ones. */
  readonly memory: { readonly received: MemoryShare; readonly sent: MemoryShare };
  /** Seals and sends one data packet. @param size bytes up to which the data is padded */
  emit(bufferStart: number, packetNumber: number, data: Buffer, size?: number): void;
  /** Returns the packet size of the path in use; undefined where all sizes pass. */
  packetSize(): PacketSize | undefined;
  /** Whether there is a session, so that packets can be sealed. */
  isOpen(): boolean;
  /** Whether the path has no room for a packet now; the owner calls `onTickEnd` when it has again. @param size bytes of data */
  isBlocked(size: number): boolean;
  /** Whether packets need no pacing. */
  pacesItself(): boolean;
  /** Whether no other peer wakes us. */
  isAlone(): boolean;
  /** A packet in order; the bytes belong to the receiver. */
  onLossless(data: Buffer): void;
  onLossy(data: Buffer): void;
  /** There is room again after a refusal. */
  onDrain(): void;
}

const KILL = Buffer.from([CryptoKind.Kill]);
/** Copies of a kill packet; if all are lost, the peer notices after 32 s. */
const KILL_COPIES = 3;
/** ms for which a packet may be missing while later ones wait for it; the peer retransmits it each second. */
const HOLE_TIMEOUT = 60_000;
/** ms that a peer of our kind takes to acknowledge, that c-toxcore takes, which acknowledges few packets only each second, and that a busy machine takes to answer. */
const OUR_DELAY = 15;
const THEIR_DELAY = 1000;
const ANSWER_DELAY = 250;
/** ms within which a relay may deliver a packet that is too large for the path to a peer that reads no halves. */
const RELAY_TIMEOUT = 3000;

export class PacketStream {
  readonly #deps: PacketStreamDeps;
  readonly #rtt = new Rtt();
  readonly #congestion = new Congestion(this.#rtt);
  readonly #sendWindow: SendWindow;
  readonly #receiveWindow: ReceiveWindow;
  readonly #sender: Sender;
  readonly #acks = new AckSchedule();
  /** The missing packet that later ones wait for, and since when, ms. */
  #hole: { readonly number: number; readonly since: number } | undefined;
  /** The first undelivered packet while it is too large for the path, and since when, ms. */
  #tooLarge: { readonly number: number; readonly since: number } | undefined;
  readonly #features = new Features();
  readonly #halves = new PacketHalves();
  readonly #blackHole = new ReceiveBlackHole();
  #arrivals = 0;

  /** @param options.firstNumber of the packets of both directions; always 0 on the wire, tests begin near the wrap */
  constructor(deps: PacketStreamDeps, options: { readonly firstNumber?: number } = {}) {
    this.#deps = deps;
    this.#sendWindow = new SendWindow(deps.memory.sent, options.firstNumber);
    this.#receiveWindow = new ReceiveWindow(deps.memory.received, options.firstNumber);
    this.#sender = new Sender({
      window: this.#sendWindow,
      congestion: this.#congestion,
      rtt: this.#rtt,
      transmit: (number, data, size) => this.#transmit(number, data, size),
      packetSize: () => deps.packetSize(),
      advertise: () => this.#acks.ackImmediately(),
      isBlocked: (size) => deps.isBlocked(size),
      pacesItself: () => deps.pacesItself(),
    });
  }

  get rtt(): Rtt {
    return this.#rtt;
  }

  /** Applies what an earlier session learned about the path. */
  resume(saved: SavedPath): void {
    this.#congestion.resume(saved);
  }

  /** What a later session may begin with. */
  get learned(): SavedPath | undefined {
    return this.#congestion.learned;
  }

  get retransmissions(): number {
    return this.#sender.retransmissions;
  }

  /** Takes a lossless packet, or returns false and takes nothing. @throws RangeError for other data */
  takeLossless(data: Buffer, isUrgent: boolean): boolean {
    checkData(data, CryptoKind.FirstLossless, CryptoKind.LastLossless);
    return this.#sender.enqueue(data, isUrgent);
  }

  /**
   * Sends a lossy packet at once; returns false if there is no session, or the peer has been silent for too long.
   * @throws RangeError for other data
   */
  sendLossy(data: Buffer): boolean {
    checkData(data, CryptoKind.FirstLossy, CryptoKind.LastLossy);
    if (!this.#deps.isOpen() || !this.#sender.maySendLossy) return false;
    this.#emit(this.#sendWindow.next, data);
    return true;
  }

  /** Sends kill packets to the peer, if there is a session. */
  sendKill(): void {
    if (!this.#deps.isOpen()) return;
    for (let copy = 0; copy < KILL_COPIES; copy += 1) this.#emit(this.#sendWindow.next, KILL);
  }

  /** Whether several probes have had no answer: the path, or the peer, may be dead. */
  get isUnanswered(): boolean {
    return this.#sender.isUnanswered;
  }

  get hasUnacked(): boolean {
    return this.#sendWindow.hasUnacked;
  }

  /** Lossless packets received so far, new or duplicate. */
  get arrivals(): number {
    return this.#arrivals;
  }

  /** ms within which the peer should acknowledge a packet. */
  get ackTimeout(): number {
    return this.#twoRoundTrips + (this.#features.isOurKind ? OUR_DELAY : THEIR_DELAY);
  }

  /** ms within which the peer should answer a path probe. */
  get probeTimeout(): number {
    return this.#twoRoundTrips + ANSWER_DELAY;
  }

  get #twoRoundTrips(): number {
    return 2 * this.#rtt.smoothed + 2 * this.#rtt.variation;
  }

  get isOurKind(): boolean {
    return this.#features.isOurKind;
  }

  /** Packets sent for the first time from now on take one route only. */
  beginRoute(): void {
    this.#sender.beginRoute();
  }

  /** Whether a packet that took only this route has arrived; true once. */
  takeConfirmed(): boolean {
    return this.#sender.takeRouteConfirmed();
  }

  /** Seals a request packet that probes another route. @param seal seals a packet of the session */
  sealProbe(seal: (bufferStart: number, packetNumber: number, data: Buffer) => Buffer): Buffer {
    this.#sender.onSealed();
    return seal(this.#receiveWindow.start, this.#sendWindow.next, this.#buildRequest());
  }

  /** The path is lost, with all packets in flight on it. */
  onPathLost(): void {
    this.#sender.onPathLost();
  }

  /** The peer can read us from now on: a request packet tells it at once how much was sent. */
  ackImmediately(): void {
    this.#acks.ackImmediately();
  }

  /** An opened data packet of the peer arrived. */
  receive({ bufferStart, packetNumber, data }: DataContent, now: number): void {
    const id = data[0] as number;
    const isRequest = id === CryptoKind.Request || id === CryptoKind.RequestWithEnd;
    // An ack older than the newest one is void, but the data that came with it is valid (c-toxcore drops both).
    this.#sender.onAck(bufferStart, isRequest ? data : undefined, now);
    if (isRequest) {
      this.#receiveWindow.onAdvertised(packetNumber);
      if (this.#deps.isAlone()) this.#acks.follow(now, this.#rtt.smoothed);
    } else if (id >= CryptoKind.FirstLossless && id <= CryptoKind.LastLossless) {
      this.#acks.onReceived(now);
      this.#receiveLossless(packetNumber, data);
    } else if (id >= CryptoKind.FirstLossy && id <= CryptoKind.LastLossy) {
      this.#receiveWindow.onAdvertised(packetNumber);
      this.#deps.onLossy(data);
    } else if (id === CryptoKind.Features) {
      this.#receiveWindow.onAdvertised(packetNumber);
      if (this.#features.receive(data)) this.#acks.ackImmediately();
      this.#congestion.noteOurKind();
      this.#sender.noteOurKind();
    } else if (id === CryptoKind.Part) {
      this.#receivePart(packetNumber, data, now);
    }
    const { start, hasHoles } = this.#receiveWindow;
    this.#blackHole.onReceived(hasHoles ? start : undefined, data.length, now);
    if (this.#receiveWindow.takeNewHole()) this.#acks.ackImmediately();
  }

  #receivePart(number: number, part: Buffer, now: number): void {
    const data = this.#halves.join(number, part);
    const id = data?.[0] ?? CryptoKind.Padding;
    if (data === undefined || id < CryptoKind.FirstLossless || id > CryptoKind.LastLossless) return;
    this.#acks.onReceived(now);
    this.#receiveLossless(number, data);
  }

  #receiveLossless(number: number, data: Buffer): void {
    this.#arrivals += 1;
    if (this.#receiveWindow.onReceived(number, data) !== 'next') return;
    let next: Buffer | undefined = data;
    while (next !== undefined && this.#deps.isOpen()) {
      this.#deps.onLossless(next);
      next = this.#receiveWindow.takeNext();
    }
  }

  /** Whether packets have waited for an earlier one so long that the peer will not send it. */
  isStuck(now: number): boolean {
    const { start, heldBytes } = this.#receiveWindow;
    if (heldBytes === 0) this.#hole = undefined;
    else if (this.#hole?.number !== start) this.#hole = { number: start, since: now };
    return this.#hole !== undefined && now - this.#hole.since >= HOLE_TIMEOUT;
  }

  /** Whether the first undelivered packet will never arrive: it is too large for the path, and no relay delivered it. */
  isTooLarge(now: number): boolean {
    const mostWhole = this.#features.hasParts ? undefined : this.#deps.packetSize()?.maxWhole;
    const number = mostWhole === undefined ? undefined : this.#sendWindow.firstUndelivered();
    if (number === undefined || this.#sendWindow.dataOf(number).length <= (mostWhole ?? 0)) this.#tooLarge = undefined;
    else if (this.#tooLarge?.number !== number) this.#tooLarge = { number, since: now };
    return this.#tooLarge !== undefined && now - this.#tooLarge.since >= RELAY_TIMEOUT;
  }

  /** Whether large packets of the peer do not arrive, and the peer, not being of our kind, sends no smaller ones. */
  get isInBlackHole(): boolean {
    return !this.#features.isOurKind && this.#blackHole.isLikely;
  }

  /** Releases all memory. */
  close(): void {
    this.#receiveWindow.close();
    this.#sendWindow.close();
  }

  /** Sends what is due: data first, which carries acks, then a request packet if one is still needed. */
  onTickEnd(now: number): void {
    if (!this.#deps.isOpen()) return;
    this.#sender.pump(now);
    if (this.#requestDueAt <= now) {
      this.#emit(this.#sendWindow.next, this.#buildRequest());
      this.#acks.onRequestSent(now);
      const features = this.#features.next();
      if (features !== undefined) this.#emit(this.#sendWindow.next, features);
    }
    if (this.#sender.takeDrain()) this.#deps.onDrain();
    this.#sender.onTickEnd(now);
  }

  /** Whether `onTickEnd` should be called in the next tick. */
  get isBehind(): boolean {
    return this.#deps.isOpen() && this.#sender.isBehind;
  }

  /** Returns when `onTickEnd` must be called next at the latest, ms of the clock. */
  wakeAt(now: number): number {
    return this.#deps.isOpen() ? Math.min(this.#sender.wakeAt(now), this.#requestDueAt) : Number.POSITIVE_INFINITY;
  }

  get #requestDueAt(): number {
    const { start, end } = this.#receiveWindow;
    return this.#acks.dueAt(distanceBetween(start, end), this.#rtt.smoothed);
  }

  readonly #isMissing = (number: number): boolean => this.#receiveWindow.isMissing(number);

  #buildRequest(): Buffer {
    const kind = this.#features.hasListEnd ? CryptoKind.RequestWithEnd : CryptoKind.Request;
    return encodePacketRequest(this.#receiveWindow.start, this.#receiveWindow.end, this.#isMissing, kind);
  }

  /** Sends a packet that is too large for the path in two halves to a peer of our kind, and to others whole, by a relay if possible. */
  #transmit(number: number, data: Buffer, size: number | undefined): void {
    const mostWhole = this.#deps.packetSize()?.maxWhole ?? MAX_CRYPTO_DATA_SIZE;
    if (data.length <= mostWhole || !this.#features.hasParts) {
      this.#emit(number, data, size);
      return;
    }
    const parts = encodeParts(data);
    // A queue with room for only one of them always loses the second one.
    const isTurned = this.#sendWindow.timesSent(number) % 2 === 0;
    for (const part of isTurned ? parts.toReversed() : parts) this.#emit(number, part);
  }

  #emit(number: number, data: Buffer, size?: number): void {
    this.#deps.emit(this.#receiveWindow.start, number, data, size);
    this.#sender.onSealed();
    this.#acks.onPiggybacked(this.#receiveWindow.hasHoles);
  }
}

function checkData(data: Buffer, firstId: number, lastId: number): void {
  const id = data[0] ?? -1;
  if (data.length > MAX_CRYPTO_DATA_SIZE || id < firstId || id > lastId) {
    throw new RangeError(`PacketStream: ${data.length} bytes with id ${id}`);
  }
}
