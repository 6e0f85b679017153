/** Two ends of a channel in memory: bounded, refusing at random, delivering in bursts of random size, repeatable by seed. */
import type { PeerChannel, PeerChannelHandlers } from '../../../src/tunnel/wire/peer-channel.js';
import { SeededRandom } from '../../support/seeded-random.js';

export interface ChannelOptions {
  readonly seed?: number;
  /** Packets that may be in flight in one direction. */
  readonly capacity?: number;
  /** Fraction of sends that are refused although there is room. */
  readonly refusals?: number;
  /** The largest number of packets in one delivery. */
  readonly burst?: number;
  /** Fraction of lossy packets that get lost; a tenth of the others is overtaken. */
  readonly loss?: number;
}

export class TestChannel implements PeerChannel {
  readonly peerId: string;
  maxPacketSize = 1373;
  silence = 0;
  readonly #random: SeededRandom;
  readonly #capacity: number;
  readonly #refusals: number;
  readonly #burst: number;
  readonly #loss: number;
  readonly #inFlight: Buffer[] = [];
  #handlers: PeerChannelHandlers | undefined;
  #other: TestChannel | undefined;
  #needsDrain = false;
  #isScheduled = false;
  #isClosed = false;
  /** While true, nothing is delivered to the other end. */
  isStalled = false;
  /** All packets that were taken. */
  readonly sent: Buffer[] = [];
  isRecording = false;

  constructor(peerId: string, random: SeededRandom, options: ChannelOptions) {
    this.peerId = peerId;
    this.#random = random;
    this.#capacity = options.capacity ?? 64;
    this.#refusals = options.refusals ?? 0;
    this.#burst = options.burst ?? 64;
    this.#loss = options.loss ?? 0;
  }

  static connect(a: TestChannel, b: TestChannel): void {
    a.#other = b;
    b.#other = a;
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  send(packet: Buffer): boolean {
    if (this.#isClosed) return true;
    if (packet.length > this.maxPacketSize) throw new RangeError(`packet of ${packet.length} bytes`);
    if (this.#needsDrain) throw new Error('sent after a refusal and before the drain');
    if (this.#inFlight.length >= this.#capacity || this.#random.fraction() < this.#refusals) {
      this.#needsDrain = true;
      this.#schedule();
      return false;
    }
    const copy = Buffer.from(packet);
    this.#inFlight.push(copy);
    if (this.isRecording) this.sent.push(copy);
    this.#schedule();
    return true;
  }

  sendLossy(packet: Buffer): boolean {
    if (this.#isClosed) return false;
    if (packet.length > this.maxPacketSize) throw new RangeError(`packet of ${packet.length} bytes`);
    if (this.#random.fraction() < this.#loss) return true;
    const deliver = (): void => {
      if (!this.#isClosed) this.#other!.#handlers?.onLossy(Buffer.from(packet));
    };
    if (this.#loss > 0 && this.#random.below(10) === 0) setImmediate(() => setImmediate(deliver));
    else setImmediate(deliver);
    return true;
  }

  receive(handlers: PeerChannelHandlers): void {
    this.#handlers = handlers;
  }

  resume(): void {
    this.isStalled = false;
    this.#schedule();
  }

  /** Loses the connection at both ends, with the packets in flight. */
  close(): void {
    for (const end of [this, this.#other as TestChannel]) {
      if (end.#isClosed) continue;
      end.#isClosed = true;
      end.#inFlight.length = 0;
      end.#handlers?.onClose();
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.isStalled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.isStalled || this.#isClosed) return;
    const count = 1 + this.#random.below(this.#burst);
    for (const packet of this.#inFlight.splice(0, count)) this.#other!.#handlers?.onPacket(packet);
    if (this.#needsDrain && this.#inFlight.length < this.#capacity) {
      this.#needsDrain = false;
      this.#handlers?.onDrain();
    }
    if (this.#inFlight.length > 0) this.#schedule();
  }
}

/** @returns the client's end, whose peer is `server`, and the server's end, whose peer is `client` */
export function channelPair(options: ChannelOptions = {}): { client: TestChannel; server: TestChannel } {
  const random = new SeededRandom(options.seed ?? 1);
  const client = new TestChannel('5e'.repeat(32), random, options);
  const server = new TestChannel('c1'.repeat(32), random, options);
  TestChannel.connect(client, server);
  return { client, server };
}
