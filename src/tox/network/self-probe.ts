/**
 * Sends a datagram to our own socket: if it comes back, the socket sends and receives, and its datagrams are handled. If a
 * firewall forbids that, or the loopback interface is down, the system refuses to send it, which shows only that the socket exists.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';

/** Bytes; random, so that no other program can send them. */
const SIZE = 24;
/** The first byte, which the protocol does not use. */
const KIND = 0xff;
/** ms from each copy to the next, and from the last copy to the end of the probe; a copy needs less than 1 ms. */
const GAPS = [500, 500, 1_000];

/** `lost`: sent, as far as is known, and not received. */
export type ProbeOutcome = 'returned' | 'refused' | 'lost';

/** @param onRefused to be called if the system would not send it */
type SendProbe = (packet: Buffer, onRefused: () => void) => void;

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

  /** Sends three copies, since a busy socket may lose one. An earlier probe that has not ended counts as lost. */
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

  /** Takes a received datagram. @returns whether it belongs to the probe */
  take(packet: Buffer): boolean {
    if (packet[0] !== KIND || this.#pending?.packet.equals(packet) !== true) return false;
    this.#end('returned');
    return true;
  }

  /** Ends a running probe, which counts as lost. */
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
