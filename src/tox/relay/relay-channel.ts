/**
 * The encrypted line to a relay that has answered our handshake: what is said on it, no faster than the relay reads, and whether
 * there is still somebody at its other end. Pings and pongs stay here.
 */
import type { Clock } from '../../base/clock.js';
import { type Random, randomId } from '../../base/random.js';
import { decodeRelayPacket, encodeRelayPacket, type RelayPacket } from '../packet/relay.js';
import type { RelaySession } from './handshake.js';
import { PingTimer } from './ping-timer.js';
import { RelayFlow } from './relay-flow.js';
import { SecureStream } from './secure-stream.js';
import { SilenceDetector } from './silence-detector.js';

export interface RelayChannelDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Takes the bytes in any case; false when there is no more room, and then `drained` is called. */
  write(bytes: Buffer): boolean;
  /** The relay has said something, whatever it was; before anything else comes of it. */
  onHeard(): void;
  /** All but pings and pongs. */
  onPacket(packet: RelayPacket): void;
  /** There is room again after a `send` that returned false. */
  onDrain(): void;
  /** The relay reads no more. @param lowerBound the `bound` that another line to it should have */
  onStall(lowerBound: number | undefined): void;
  /** The line is of no use any more. */
  onBroken(reason: string): void;
}

export interface RelayLineOptions {
  /** ms that it took to connect. */
  readonly rtt: number;
  /** Bytes that the relay may have unread of us at the most, of one that has stalled before. */
  readonly bound: number | undefined;
}

export class RelayChannel {
  readonly #deps: RelayChannelDeps;
  readonly #stream: SecureStream;
  readonly #pings: PingTimer;
  readonly #flow: RelayFlow;
  readonly #lull: SilenceDetector;
  #flowPing: bigint | undefined;
  #isStopped = false;

  constructor(deps: RelayChannelDeps, session: RelaySession, options: RelayLineOptions) {
    const { clock, random } = deps;
    this.#deps = deps;
    this.#stream = new SecureStream(
      { write: (frame) => deps.write(frame), onPacket: (plain) => this.#onPlain(plain) },
      session,
    );
    this.#pings = new PingTimer({
      clock,
      random,
      sendPing: (id) => this.control({ kind: 'ping', id }),
      onSilence: () => deps.onBroken('silent for 10 s'),
    });
    this.#flow = new RelayFlow(
      {
        clock,
        write: (packets) => this.#stream.send(...packets),
        ping: () => this.#pingForFlow(),
        onDrain: () => deps.onDrain(),
        onStall: () => deps.onStall(this.#flow.lowerBound),
      },
      options,
    );
    this.#lull = new SilenceDetector({
      clock,
      ping: () => this.#pings.ping(),
      onSilence: () => deps.onBroken('silent while it carried packets'),
    });
  }

  /** Whether `send` would refuse. */
  get isFull(): boolean {
    return this.#flow.isFull;
  }

  /** Whether packets may come as fast as they are taken: they gather until the relay is ready for them. */
  get gathers(): boolean {
    return this.#flow.gathers;
  }

  /** Says what may get lost. @returns false when it was not taken */
  send(packet: RelayPacket): boolean {
    return this.#flow.send(encodeRelayPacket(packet));
  }

  /** Says what must arrive. */
  control(packet: RelayPacket): void {
    if (!this.#stream.sendControl(encodeRelayPacket(packet))) this.#deps.onBroken('it takes nothing any more');
  }

  /** Data for this slot that has not gone yet is not to go. */
  withdraw(slot: number): void {
    this.#flow.withdraw(slot);
  }

  /** Asks for a sign of life. */
  ping(): void {
    this.#pings.ping();
  }

  /** We slept, or the network has changed: whether it lives is known within 3 s. */
  doubt(): void {
    this.#pings.doubt();
  }

  /** What came was a packet of a peer that speaks once a second: a lull means something from now on. */
  carried(): void {
    this.#lull.carried();
  }

  /** Bytes came. */
  receive(bytes: Buffer): void {
    if (!this.#stream.receive(bytes)) this.#deps.onBroken('what it says cannot be read');
  }

  /** There is room again where the bytes go. */
  drained(): void {
    this.#stream.drained();
    this.#flow.drained();
  }

  /** Nothing is said or heard any more, and the key is overwritten. */
  stop(): void {
    this.#isStopped = true;
    this.#stream.close();
    this.#pings.stop();
    this.#flow.stop();
    this.#lull.stop();
  }

  #onPlain(plain: Buffer): void {
    const packet = decodeRelayPacket(plain);
    if (packet === undefined) {
      this.#deps.onBroken('it sends what is no packet');
      return;
    }
    if (packet !== 'ignored' && packet.kind !== 'pong') this.#pings.heard();
    this.#lull.heard();
    this.#deps.onHeard();
    if (packet === 'ignored' || this.#isStopped) return;
    if (packet.kind === 'ping') this.control({ kind: 'pong', id: packet.id });
    else if (packet.kind === 'pong') this.#onPong(packet.id);
    else this.#deps.onPacket(packet);
  }

  #onPong(id: bigint): void {
    this.#pings.pong(id);
    if (id !== this.#flowPing) return;
    this.#pings.heard();
    this.#flow.pong();
  }

  #pingForFlow(): void {
    this.#flowPing = randomId(this.#deps.random);
    this.control({ kind: 'ping', id: this.#flowPing });
  }
}
