/** Requests and responses by datagrams: sends the request again after each gap, and gives up after the last one. */
import type { Clock, Timer } from '../../base/clock.js';
import type { DatagramHandler } from '../network/datagram-socket.js';

interface Request<Response> {
  readonly send: () => void;
  /** ms after each transmission. */
  readonly gaps: readonly number[];
  /** Returns undefined for a datagram that is no response to the request. */
  readonly read: (...datagram: Parameters<DatagramHandler>) => Response | undefined;
}

interface Pending {
  readonly receive: DatagramHandler;
  readonly giveUp: () => void;
}

/** Handles one request at a time. */
export class Exchange {
  readonly #clock: Clock;
  #pending: Pending | undefined;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves to undefined if there was no response. */
  run<Response>({ send, gaps, read }: Request<Response>): Promise<Response | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const finish = (response: Response | undefined): void => {
        timer?.cancel();
        this.#pending = undefined;
        resolve(response);
      };
      const round = (count: number): void => {
        const gap = gaps[count];
        if (gap === undefined) {
          finish(undefined);
          return;
        }
        timer = this.#clock.after(gap, () => round(count + 1));
        send();
      };
      this.#pending = {
        receive: (packet, source) => {
          const response = read(packet, source);
          if (response !== undefined) finish(response);
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
