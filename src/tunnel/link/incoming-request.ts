/** A request of a peer, until it is answered: by one of `accept` and `refuse`, once, now or later. */
import type { LocalEnd } from '../stream/local-end.js';
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';

export class TunnelOffer {
  readonly peerId: string;
  readonly target: Target;
  #answer: ((answer: LocalEnd | Reason) => void) | undefined;

  /** @param answer takes the local end, or why there is none */
  constructor(peerId: string, target: Target, answer: (answer: LocalEnd | Reason) => void) {
    this.peerId = peerId;
    this.target = target;
    this.#answer = answer;
  }

  /** When the link is gone by now, the local end is reset. */
  accept(local: LocalEnd): void {
    this.#finish(local);
  }

  refuse(reason: Reason): void {
    this.#finish(reason);
  }

  #finish(answer: LocalEnd | Reason): void {
    if (this.#answer === undefined) throw new TypeError('TunnelOffer: answered twice');
    const finish = this.#answer;
    this.#answer = undefined;
    finish(answer);
  }
}
