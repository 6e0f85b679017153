/**
 * A session without its sealing: the sender, the receiver, and the packets that keep the two ends in step. The connection seals
 * packets and chooses routes.
 */
import type { MemoryShare } from '../../../base/memory-budget.js';
import { ALIVE_PACKET } from '../../packet/friend.js';
import { CryptoKind } from '../../packet/kind.js';
import {
  type DataContent,
  EXTENDED_CRYPTO_DATA_SIZE,
  encodeParts,
  MAX_CRYPTO_DATA_SIZE,
  WIRE_OVERHEAD,
} from '../../packet/net-crypto.js';
import { isPacketRequest } from '../../packet/net-crypto-request.js';
import { Congestion } from '../congestion/congestion.js';
import { Rtt } from '../congestion/rtt.js';
import type { PacketSize } from '../path/packet-size.js';
import type { Evidence } from '../path/path-owner.js';
import type { ConnectionHandlers } from './connection-host.js';
import { Features } from './features.js';
import { LossyBytes } from './lossy-bytes.js';
import { LossySender } from './lossy-sender.js';
import type { PacketMemory } from './packet-memory.js';
import { Receiver } from './receiver.js';
import { ACK_DELAY } from './reordering.js';
import { SendWindow } from './send-window.js';
import { Sender } from './sender.js';

/** Seals and sends one data packet. @param size bytes up to which the data is padded */
type Emit = (bufferStart: number, packetNumber: number, data: Buffer, size?: number) => void;

interface SessionDeps {
  /** Shares of the memory of all connections for packets that wait for earlier ones, and for unacknowledged ones. */
  readonly memory: { readonly received: MemoryShare; readonly sent: MemoryShare; readonly packets: PacketMemory };
  readonly emit: Emit;
  readonly handlers: Pick<ConnectionHandlers, 'onLossless' | 'onLossy' | 'onDrain'>;
  /** Whether packets can be sealed. */
  isOpen(): boolean;
  /** Whether no other peer wakes us. */
  isAlone(): boolean;
  /** Returns the packet size of the path in use; undefined where all sizes pass. */
  packetSize(): PacketSize | undefined;
  readonly path: {
    /** Whether the path has no room for a packet now; the owner calls `onTickEnd` when it has again. @param size bytes of data */
    isBusy(size: number): boolean;
    /** Whether packets need no pacing. */
    readonly pacesItself: boolean;
  };
}

/** Bytes under way from which our acks may wait behind our own data. */
const SENDING_BYTES = 16 * (MAX_CRYPTO_DATA_SIZE + WIRE_OVERHEAD);
const KILL = Buffer.from([CryptoKind.Kill]);
/** Copies of a kill packet; if all are lost, the peer notices after 32 s. */
const KILL_COPIES = 3;
/** ms that c-toxcore takes to acknowledge, which acknowledges few packets only each second, and that a busy machine takes to answer. */
const THEIR_DELAY = 1000;
const ANSWER_DELAY = 250;
/** ms within which a relay may deliver a packet that is too large for the path to a peer that reads no halves. */
const RELAY_TIMEOUT = 3000;

export class Session {
  readonly rtt = new Rtt();
  readonly features = new Features();
  readonly congestion = new Congestion(this.rtt, this.features);
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly lossy: LossySender;
  readonly #deps: SessionDeps;
  readonly #window: SendWindow;
  /** The first undelivered packet while it is too large for the path, and since when, ms. */
  #tooLarge: { readonly number: number; readonly since: number } | undefined;

  /** @param options.firstNumber of the packets of both directions; always 0 on the wire, tests begin near the wrap */
  constructor(deps: SessionDeps, options: { readonly firstNumber?: number } = {}) {
    this.#deps = deps;
    const { rtt, congestion, features } = this;
    const { memory, handlers, path } = deps;
    const lossyBytes = new LossyBytes();
    this.#window = new SendWindow(memory.sent, options.firstNumber, lossyBytes, memory.packets);
    this.receiver = new Receiver(
      {
        memory: memory.received,
        rtt,
        features,
        state: {
          isOpen: () => deps.isOpen(),
          isAlone: () => deps.isAlone(),
          isSending: () => this.#window.inFlightBytes >= SENDING_BYTES,
        },
        onLossless: (data) => handlers.onLossless(data),
        onLossy: (data) => handlers.onLossy(data),
      },
      options.firstNumber,
    );
    this.sender = new Sender({
      window: this.#window,
      congestion,
      rtt,
      features,
      transmit: (number, data, size) => this.#transmit(number, data, size),
      packetSize: () => deps.packetSize(),
      advertise: () => this.receiver.ackImmediately(),
      path,
    });
    this.lossy = new LossySender({
      emit: (data, beside) => {
        deps.emit(this.receiver.start, this.#window.next, data);
        this.sender.onSealed(beside);
        lossyBytes.note(beside);
        this.receiver.onPiggybacked();
      },
      isOpen: () => deps.isOpen() && this.sender.maySendLossy,
      isBlocked: (size) => path.isBusy(size),
      rate: () => congestion.pacingRate,
    });
  }

  /** What the path learns from the session. */
  get evidence(): Evidence {
    const { rtt, features } = this;
    const twoRoundTrips = 2 * rtt.smoothed + 2 * rtt.variation;
    return {
      hasUnacked: this.#window.hasUnacked,
      isUnanswered: this.sender.isUnanswered,
      arrivals: this.receiver.arrivals,
      isOurKind: features.isOurKind,
      ackTimeout: twoRoundTrips + (features.isOurKind ? ACK_DELAY : THEIR_DELAY),
      probeTimeout: twoRoundTrips + ANSWER_DELAY,
    };
  }

  /** Sends kill packets to the peer, if there is a session. */
  sendKill(): void {
    if (!this.#deps.isOpen()) return;
    for (let copy = 0; copy < KILL_COPIES; copy += 1) this.#emit(this.#window.next, KILL);
  }

  /** Seals a request packet that probes another route. @param seal seals a packet of the session */
  sealProbe(seal: (bufferStart: number, packetNumber: number, data: Buffer) => Buffer): Buffer {
    this.sender.onSealed();
    return seal(this.receiver.start, this.#window.next, this.receiver.buildRequest());
  }

  /** An opened data packet of the peer arrived. */
  receive({ bufferStart, packetNumber, data }: DataContent, now: number): void {
    // An ack older than the newest one is void, but the data that came with it is valid (c-toxcore drops both).
    this.sender.onAck(bufferStart, isPacketRequest(data) ? data : undefined, now);
    this.receiver.receive(packetNumber, data, now);
  }

  /** Whether the first undelivered packet will never arrive: it is too large for the path, and no relay delivered it. */
  isTooLarge(now: number): boolean {
    const mostWhole = this.features.hasParts ? undefined : this.#deps.packetSize()?.maxWhole;
    const number = mostWhole === undefined ? undefined : this.#window.firstUndelivered();
    if (number === undefined || this.#window.dataOf(number).length <= (mostWhole ?? 0)) this.#tooLarge = undefined;
    else if (this.#tooLarge?.number !== number) this.#tooLarge = { number, since: now };
    return this.#tooLarge !== undefined && now - this.#tooLarge.since >= RELAY_TIMEOUT;
  }

  /** Releases all memory. */
  close(): void {
    this.receiver.close();
    this.#window.close();
  }

  /** Sends what is due: data first, which carries acks, then a request packet if one is still needed. */
  onTickEnd(now: number): void {
    if (!this.#deps.isOpen()) return;
    this.lossy.pump(now);
    this.#checkPath(now);
    this.sender.pump(now);
    if (this.#window.unsent > 0) this.lossy.noteContention(now);
    if (this.receiver.requestDueAt <= now) {
      this.#emit(this.#window.next, this.receiver.buildRequest());
      this.receiver.onRequestSent(now);
      const features = this.features.next(now);
      if (features !== undefined) this.#emit(this.#window.next, features);
    }
    if (this.sender.takeDrain()) this.#deps.handlers.onDrain();
    this.sender.onTickEnd(now);
  }

  /** Returns when `onTickEnd` must be called next at the latest, ms of the clock. */
  wakeAt(now: number): number {
    return this.#deps.isOpen()
      ? Math.min(this.sender.wakeAt(now), this.lossy.wakeAt(now), this.receiver.requestDueAt)
      : Number.POSITIVE_INFINITY;
  }

  /** Lossy packets tell nothing about the path: while they are large, some lossless ones, which nobody reads, are sent with them. */
  #checkPath(now: number): void {
    const packetSize = this.features.isOurKind && this.#window.unsent === 0 ? this.#deps.packetSize() : undefined;
    const due = this.lossy.checkDue(packetSize, now);
    for (let left = due?.count ?? 0; left > 0; left -= 1) {
      this.sender.enqueue(Buffer.alloc(due?.size ?? 1).fill(ALIVE_PACKET, 0, 1), true);
    }
  }

  /** Sends a packet that is larger than the path is proven to take in two halves, to a peer that reads them. */
  #transmit(number: number, data: Buffer, size: number | undefined): void {
    const mostWhole = this.#deps.packetSize()?.maxWhole ?? EXTENDED_CRYPTO_DATA_SIZE;
    if (data.length <= mostWhole || !this.features.hasParts) {
      this.#emit(number, data, size);
      return;
    }
    const parts = encodeParts(data);
    // A queue with room for only one of them always loses the second one.
    const isTurned = this.#window.timesSent(number) % 2 === 0;
    for (const part of isTurned ? parts.toReversed() : parts) this.#emit(number, part);
  }

  #emit(number: number, data: Buffer, size?: number): void {
    this.#deps.emit(this.receiver.start, number, data, size);
    this.sender.onSealed();
    this.receiver.onPiggybacked();
  }
}
