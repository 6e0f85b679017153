/**
 * Requests tunnels to one peer, online or not. While it is offline a limited number of requests wait for a limited time, and those
 * whose link is lost before the answer wait for the next link.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { PeerTerms } from '../link/negotiation.js';
import type { OpenHandlers } from '../link/outgoing-requests.js';
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';

/** Requests that wait for one peer: each holds a local connection. */
const MAX_WAITING = 512;
/** ms: more than it takes to find a peer, less than programs and people wait. */
const MAX_WAIT = 60_000;

export interface Opener {
  /** What is known of the peer now. */
  readonly terms: PeerTerms['kind'];
  /** One handler is called, later or at once. @returns a function that cancels the request; then no handler is called */
  open(target: Target, handlers: OpenHandlers): () => void;
}

interface Waiting {
  readonly target: Target;
  readonly handlers: OpenHandlers;
  readonly timeout: Timer;
  /** Set while the link has the request. */
  cancel: (() => void) | undefined;
}

export class PeerOpener implements Opener {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  #link: Opener | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get terms(): PeerTerms['kind'] {
    return this.#link?.terms ?? 'unknown';
  }

  open(target: Target, handlers: OpenHandlers): () => void {
    if (this.#link === undefined && this.#waiting.size >= MAX_WAITING) {
      handlers.onRefused('too-many-tunnels');
      return () => {};
    }
    const timeout = this.#clock.after(MAX_WAIT, () => this.#refuse(waiting, 'peer-offline'));
    const waiting: Waiting = { target, handlers, timeout, cancel: undefined };
    this.#waiting.add(waiting);
    if (this.#link !== undefined) this.#request(waiting, this.#link);
    return () => this.#remove(waiting);
  }

  onLink(link: Opener): void {
    this.#link = link;
    for (const waiting of [...this.#waiting]) if (this.#link === link) this.#request(waiting, link);
  }

  onLinkClosed(link: Opener): void {
    if (this.#link === link) this.#link = undefined;
  }

  /** Refuses all waiting requests. */
  close(reason: Reason): void {
    for (const waiting of [...this.#waiting]) this.#refuse(waiting, reason);
  }

  #request(waiting: Waiting, link: Opener): void {
    let isAnswered = false;
    const cancel = link.open(waiting.target, {
      source: waiting.handlers.source,
      onAccepted: () => {
        isAnswered = true;
        this.#remove(waiting);
        return waiting.handlers.onAccepted();
      },
      onRefused: (reason) => {
        isAnswered = true;
        waiting.cancel = undefined;
        if (reason !== 'connection-lost') this.#refuse(waiting, reason);
        else if (this.#waiting.has(waiting) && this.#link !== undefined && this.#link !== link)
          this.#request(waiting, this.#link);
      },
    });
    if (!isAnswered) waiting.cancel = cancel;
  }

  #refuse(waiting: Waiting, reason: Reason): void {
    if (!this.#waiting.has(waiting)) return;
    this.#remove(waiting);
    waiting.handlers.onRefused(reason);
  }

  #remove(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    waiting.timeout.cancel();
    waiting.cancel?.();
    waiting.cancel = undefined;
  }
}
