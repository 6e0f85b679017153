/** Question and answer by datagrams: asks again after each gap, and gives up after the last. */
import type { Clock, Timer } from '../../base/clock.js';
import type { DatagramHandler } from '../network/datagram-socket.js';

export interface Question<Answer> {
  readonly ask: () => void;
  /** ms after each time of asking. */
  readonly gaps: readonly number[];
  /** @returns undefined for a datagram that is no answer */
  readonly read: (...datagram: Parameters<DatagramHandler>) => Answer | undefined;
}

interface Pending {
  readonly receive: DatagramHandler;
  readonly giveUp: () => void;
}

/** One question at a time; whoever has several waits. */
export class Exchange {
  readonly #clock: Clock;
  #pending: Pending | undefined;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns undefined when no answer came */
  run<Answer>({ ask, gaps, read }: Question<Answer>): Promise<Answer | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const finish = (answer: Answer | undefined): void => {
        timer?.cancel();
        this.#pending = undefined;
        resolve(answer);
      };
      const round = (count: number): void => {
        const gap = gaps[count];
        if (gap === undefined) {
          finish(undefined);
          return;
        }
        timer = this.#clock.after(gap, () => round(count + 1));
        ask();
      };
      this.#pending = {
        receive: (packet, source) => {
          const answer = read(packet, source);
          if (answer !== undefined) finish(answer);
        },
        giveUp: () => finish(undefined),
      };
      round(0);
    });
  }

  readonly receive: DatagramHandler = (packet, source) => this.#pending?.receive(packet, source);

  close(): void {
    this.#isClosed = true;
    this.#pending?.giveUp();
  }
}
