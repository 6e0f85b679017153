/**
 * Where local forwards ask for tunnels to one peer, whether it is there or not: while it is away, openings wait for it, so
 * many and so long, and those whose link is lost before the answer wait for the next.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { OpenHandlers, Opening } from '../link/outgoing-requests.js';
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';

/** Openings that wait for one peer: each holds a local connection. */
const MAX_WAITING = 512;
/** ms: more than finding a peer takes, less than programs and people go on waiting. */
const WAIT = 60_000;

/** What asks for tunnels: a link, or something in front of it. */
export interface Opener {
  open(target: Target, handlers: OpenHandlers): Opening;
}

interface Waiting {
  readonly target: Target;
  readonly handlers: OpenHandlers;
  readonly timeout: Timer;
  /** Set while the request is at the link. */
  opening: Opening | undefined;
}

export class PeerOpener implements Opener {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  #link: Opener | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(target: Target, handlers: OpenHandlers): Opening {
    if (this.#link === undefined && this.#waiting.size >= MAX_WAITING) {
      handlers.onRefused('too-many-tunnels');
      return { cancel: () => {} };
    }
    const waiting: Waiting = {
      target,
      handlers,
      timeout: this.#clock.after(WAIT, () => this.#refuse(waiting, 'peer-away')),
      opening: undefined,
    };
    this.#waiting.add(waiting);
    if (this.#link !== undefined) this.#ask(waiting, this.#link);
    return { cancel: () => this.#forget(waiting) };
  }

  onLink(link: Opener): void {
    this.#link = link;
    for (const waiting of [...this.#waiting]) if (this.#link === link) this.#ask(waiting, link);
  }

  onLinkClosed(link: Opener): void {
    if (this.#link === link) this.#link = undefined;
  }

  /** Refuses all that wait. */
  close(reason: Reason): void {
    for (const waiting of [...this.#waiting]) this.#refuse(waiting, reason);
  }

  #ask(waiting: Waiting, link: Opener): void {
    let isAnswered = false;
    const opening = link.open(waiting.target, {
      onAccepted: () => {
        isAnswered = true;
        this.#forget(waiting);
        return waiting.handlers.onAccepted();
      },
      onRefused: (reason) => {
        isAnswered = true;
        waiting.opening = undefined;
        if (reason !== 'peer-gone') this.#refuse(waiting, reason);
        else if (this.#waiting.has(waiting) && this.#link !== undefined && this.#link !== link)
          this.#ask(waiting, this.#link);
      },
    });
    if (!isAnswered) waiting.opening = opening;
  }

  #refuse(waiting: Waiting, reason: Reason): void {
    if (!this.#waiting.has(waiting)) return;
    this.#forget(waiting);
    waiting.handlers.onRefused(reason);
  }

  #forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    waiting.timeout.cancel();
    waiting.opening?.cancel();
    waiting.opening = undefined;
  }
}
