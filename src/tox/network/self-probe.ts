/** A datagram to ourselves: that it comes back proves that the socket sends, receives, and is listened to. */
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';

/** Bytes; nobody else can know them. */
const SIZE = 24;
/** The first byte, which is none of the protocol's. */
const KIND = 0xff;
/** ms; through the loopback it takes less than one. */
const PATIENCE = 2_000;

export class SelfProbe {
  readonly #clock: Clock;
  readonly #random: Random;
  #pending: { readonly packet: Buffer; readonly timer: Timer; readonly end: (hasCome: boolean) => void } | undefined;

  constructor(deps: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = deps.clock;
    this.#random = deps.random;
  }

  /** Resolves to whether it came back; one at a time, an earlier one counts as lost. */
  send(send: (packet: Buffer) => void): Promise<boolean> {
    this.#end(false);
    const packet = this.#random.bytes(SIZE);
    packet[0] = KIND;
    return new Promise((end) => {
      this.#pending = { packet, timer: this.#clock.after(PATIENCE, () => this.#end(false)), end };
      send(packet);
    });
  }

  /** @returns whether the datagram was ours */
  take(packet: Buffer): boolean {
    if (packet[0] !== KIND || this.#pending?.packet.equals(packet) !== true) return false;
    this.#end(true);
    return true;
  }

  /** What is under way counts as lost. */
  stop(): void {
    this.#end(false);
  }

  #end(hasCome: boolean): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.timer.cancel();
    pending?.end(hasCome);
  }
}
