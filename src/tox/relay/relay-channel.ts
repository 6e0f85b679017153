/**
 * The encrypted channel to a relay that has answered our handshake: sends no faster than the relay reads, and notices when the
 * relay is gone. Pings and pongs stay here.
 */
import type { Clock } from '../../base/clock.js';
import { type Random, randomId } from '../../base/random.js';
import { decodeRelayPacket, encodeRelayPacket, type RelayPacket } from '../packet/relay.js';
import type { SessionKeys } from './handshake.js';
import { Liveness } from './liveness.js';
import { RelayFlow } from './relay-flow.js';
import { SecureStream } from './secure-stream.js';

export interface RelayChannelDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Takes the bytes in any case; returns false when there is no more room, and then `drained` is called. */
  write(bytes: Buffer): boolean;
  /** Any packet has arrived; called before it is handled. */
  onReceived(): void;
  /** A packet other than a ping or pong has arrived. */
  onPacket(packet: RelayPacket): void;
  /** There is room again after a `send` that returned false. */
  onDrain(): void;
  /** The channel must be ended. @param lowerBound when the relay has stopped reading: the `bound` for the next channel to it */
  onBroken(reason: string, lowerBound?: number): void;
}

export interface RelayChannelOptions {
  /** How long connecting took, ms. */
  readonly rtt: number;
  /** Bytes of ours that a relay which has stalled before may have unread, at most. */
  readonly bound: number | undefined;
}

export class RelayChannel {
  readonly #deps: RelayChannelDeps;
  readonly #stream: SecureStream;
  readonly #liveness: Liveness;
  readonly #flow: RelayFlow;
  #flowPing: bigint | undefined;
  #isStopped = false;

  constructor(deps: RelayChannelDeps, keys: SessionKeys, options: RelayChannelOptions) {
    const { clock, random } = deps;
    this.#deps = deps;
    this.#stream = new SecureStream(
      { write: (frame) => deps.write(frame), onPacket: (plain) => this.#onPlain(plain) },
      keys,
    );
    this.#liveness = new Liveness({
      clock,
      random,
      sendPing: (id) => this.control({ kind: 'ping', id }),
      onSilence: (reason) => deps.onBroken(reason),
    });
    this.#flow = new RelayFlow(
      {
        clock,
        write: (packets) => this.#stream.send(...packets),
        ping: () => this.#pingForFlow(),
        onDrain: () => deps.onDrain(),
        onStall: () => deps.onBroken('it has stopped reading', this.#flow.lowerBound),
      },
      options,
    );
  }

  /** Whether `send` would refuse. */
  get isFull(): boolean {
    return this.#flow.isFull;
  }

  /** Whether packets may be sent as fast as they are taken, because they gather until the relay is ready for them. */
  get gathers(): boolean {
    return this.#flow.gathers;
  }

  /** Sends a packet that may get lost. @returns false when it was not taken */
  send(packet: RelayPacket): boolean {
    return this.#flow.send(encodeRelayPacket(packet));
  }

  /** Sends a packet that must arrive. */
  control(packet: RelayPacket): void {
    if (!this.#stream.sendControl(encodeRelayPacket(packet)))
      this.#deps.onBroken('it has stopped reading control packets');
  }

  /** Drops data for this slot that has not been sent yet. */
  withdraw(slot: number): void {
    this.#flow.withdraw(slot);
  }

  /** Pings now, unless an answer is awaited already. */
  ping(): void {
    this.#liveness.ping();
  }

  /** Finds out within 3 s whether the relay still lives: we slept, or the network has changed. */
  check(): void {
    this.#liveness.check();
  }

  /** The packet that has arrived came from a peer. */
  onPeerPacket(): void {
    this.#liveness.onPeerPacket();
  }

  /** Bytes have arrived. */
  receive(bytes: Buffer): void {
    if (!this.#stream.receive(bytes)) this.#deps.onBroken('it sent a frame that does not open');
  }

  /** The socket has room again. */
  drained(): void {
    this.#stream.drained();
    this.#flow.drained();
  }

  /** Ends sending and receiving, and overwrites the key. */
  stop(): void {
    this.#isStopped = true;
    this.#stream.close();
    this.#liveness.stop();
    this.#flow.stop();
  }

  #onPlain(plain: Buffer): void {
    const packet = decodeRelayPacket(plain);
    if (packet === undefined) {
      this.#deps.onBroken('it sent an invalid packet');
      return;
    }
    if (packet !== 'ignored' && packet.kind === 'pong') this.#liveness.onPong(packet.id);
    else this.#liveness.onReceived();
    this.#deps.onReceived();
    if (packet === 'ignored' || this.#isStopped) return;
    if (packet.kind === 'ping') this.control({ kind: 'pong', id: packet.id });
    else if (packet.kind === 'pong') this.#onPong(packet.id);
    else this.#deps.onPacket(packet);
  }

  #onPong(id: bigint): void {
    if (id !== this.#flowPing) return;
    this.#liveness.onReceived();
    this.#flow.pong();
  }

  #pingForFlow(): void {
    this.#flowPing = randomId(this.#deps.random);
    this.control({ kind: 'ping', id: this.#flowPing });
  }
}
