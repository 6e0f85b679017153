/**
 * A datagram to ourselves: that it comes back proves that the socket sends, receives, and is listened to. Where a firewall forbids
 * that, or the loopback is down, the system refuses to send it, and that the socket lives is all that can be known.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';

/** Bytes; nobody else can know them. */
const SIZE = 24;
/** The first byte, which is none of the protocol's. */
const KIND = 0xff;
/** ms after which the next is sent, and after the last those in which one has to come; it takes less than one of them. */
const GAPS = [500, 500, 1_000];

/** `lost`: sent, for all that is known, and not come back. */
export type ProbeOutcome = 'returned' | 'refused' | 'lost';

/** @param onRefused to be called where the system would not send it */
export type SendProbe = (packet: Buffer, onRefused: () => void) => void;

interface Pending {
  readonly packet: Buffer;
  timer: Timer | undefined;
  readonly end: (outcome: ProbeOutcome) => void;
}

export class SelfProbe {
  readonly #clock: Clock;
  readonly #random: Random;
  #pending: Pending | undefined;

  constructor(deps: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = deps.clock;
    this.#random = deps.random;
  }

  /** Sends it three times, for a busy socket may lose one. One probe at a time: an earlier one counts as lost. */
  send(send: SendProbe): Promise<ProbeOutcome> {
    this.#end('lost');
    const packet = this.#random.bytes(SIZE);
    packet[0] = KIND;
    return new Promise((end) => {
      const pending: Pending = { packet, timer: undefined, end };
      this.#pending = pending;
      const next = ([gap, ...later]: readonly number[]): void => {
        if (this.#pending !== pending) return;
        if (gap === undefined) {
          this.#end('lost');
          return;
        }
        pending.timer = this.#clock.after(gap, () => next(later));
        send(packet, () => {
          if (this.#pending === pending) this.#end('refused');
        });
      };
      next(GAPS);
    });
  }

  /** @returns whether the datagram was ours */
  take(packet: Buffer): boolean {
    if (packet[0] !== KIND || this.#pending?.packet.equals(packet) !== true) return false;
    this.#end('returned');
    return true;
  }

  /** What is under way counts as lost. */
  stop(): void {
    this.#end('lost');
  }

  #end(outcome: ProbeOutcome): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.timer?.cancel();
    pending?.end(outcome);
  }
}
