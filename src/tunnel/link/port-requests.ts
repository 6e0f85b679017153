/**
 * Ports that one side of a link has the other open (-R; wire/listen.ts), both ways. Those that this side asks for:
 *
 *     unsent      it is not known yet whether the peer has the extension
 *     asked       an answer is expected
 *     listening   until either side ends it, or the link closes
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { FrameScheduler } from '../stream/frame-scheduler.js';
import { FROM_ACCEPTOR, type Frame, LISTEN, LISTENING, UNLISTEN } from '../wire/frame.js';
import {
  decodeListen,
  decodeUnlistenReason,
  encodeListen,
  encodeListening,
  encodeUnlisten,
  type ListenPlace,
} from '../wire/listen.js';
import type { Reason } from '../wire/reasons.js';
import { decodeForwardId, encodeDeny } from '../wire/request.js';
import type { Target } from '../wire/target.js';
import type { ForwardIds } from './forward-ids.js';
import type { PeerTerms } from './negotiation.js';

/** ms: more than the peer needs to look up an address of its own and to open a port. */
const ANSWER_TIMEOUT = 30_000;

export interface PortHandlers {
  onListening(port: number): void;
  /** It is refused, or has ended. Called once, unless it is cancelled; nothing follows. */
  onEnded(reason: Reason): void;
}

/** A port of the peer, and what its connections reach here, as this side sees it. */
export interface WantedPort extends ListenPlace {
  readonly target: Target;
}

/** What the peer asks for. */
export interface PeerPortHandlers {
  /** `answer` answers, now or later. */
  onListen(forwardId: number, place: ListenPlace): void;
  onUnlisten(forwardId: number): void;
}

interface PortRequestsDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ids: ForwardIds;
  readonly scheduler: Pick<FrameScheduler, 'hasRoom' | 'offer' | 'push'>;
  readonly terms: () => PeerTerms['kind'];
  /** Lets the peer know that we have the extension. */
  readonly greet: () => void;
  readonly handlers: PeerPortHandlers;
}

interface Entry {
  readonly wanted: WantedPort;
  readonly handlers: PortHandlers;
  state: 'unsent' | 'asked' | 'listening';
  timeout: Timer | undefined;
}

export class PortRequests {
  readonly #deps: PortRequestsDeps;
  readonly #entries = new Map<number, Entry>();
  #isClosed = false;

  constructor(deps: PortRequestsDeps) {
    this.#deps = deps;
  }

  /** Has the peer open a port. @returns a function that cancels or ends it; then no handler is called */
  ask(wanted: WantedPort, handlers: PortHandlers): () => void {
    if (this.#isClosed) {
      handlers.onEnded('connection-lost');
      return () => {};
    }
    this.#deps.greet();
    const forwardId = this.#deps.ids.take();
    this.#entries.set(forwardId, { wanted, handlers, state: 'unsent', timeout: undefined });
    this.send();
    return () => {
      const entry = this.#take(forwardId);
      if (entry !== undefined && entry.state !== 'unsent') this.#unlisten(forwardId, 'closed-by-owner');
    };
  }

  /** Returns the port that a forward id names, while the peer listens there for us. */
  find(forwardId: number): WantedPort | undefined {
    const entry = this.#entries.get(forwardId);
    return entry?.state === 'listening' ? entry.wanted : undefined;
  }

  /** Answers a request of the peer. @param answer the port, or why there is none */
  answer(forwardId: number, answer: number | Reason): void {
    const isRefusal = typeof answer === 'string';
    this.#deps.scheduler.offer(isRefusal ? encodeDeny(forwardId, answer) : encodeListening(forwardId, answer));
  }

  /** Tells the peer that a port which it asked for is closed. */
  end(forwardId: number, reason: Reason): void {
    this.#deps.scheduler.push(encodeUnlisten(forwardId, 'acceptor', reason));
  }

  /** Sends what waits until it is known whether the peer has the extension. */
  send(): void {
    const terms = this.#deps.terms();
    if (terms === 'unknown') return;
    for (const [forwardId, entry] of this.#entries) {
      if (entry.state !== 'unsent') continue;
      if (terms === 'upstream') this.#end(forwardId, 'no-reverse');
      else this.#send(forwardId, entry);
    }
  }

  /** @returns whether it was about a port */
  onFrame(frame: Frame): boolean {
    switch (frame.type) {
      case LISTEN:
        this.#onListen(frame);
        return true;
      case LISTENING:
        this.#onListening(frame);
        return true;
      case UNLISTEN:
        this.#deps.handlers.onUnlisten(decodeForwardId(frame) ?? -1);
        return true;
      case UNLISTEN | FROM_ACCEPTOR:
        this.#end(decodeForwardId(frame) ?? -1, decodeUnlistenReason(frame));
        return true;
      default:
        return false;
    }
  }

  /** @returns whether it was about a port */
  onDeny(forwardId: number, reason: Reason): boolean {
    const isAsked = this.#entries.get(forwardId)?.state === 'asked';
    if (isAsked) this.#end(forwardId, reason);
    return isAsked;
  }

  close(): void {
    this.#isClosed = true;
    for (const forwardId of [...this.#entries.keys()]) this.#end(forwardId, 'connection-lost');
  }

  #send(forwardId: number, entry: Entry): void {
    entry.state = 'asked';
    entry.timeout = this.#deps.clock.after(ANSWER_TIMEOUT, () => {
      this.#unlisten(forwardId, 'timeout');
      this.#end(forwardId, 'no-answer');
    });
    this.#deps.scheduler.push(encodeListen(forwardId, entry.wanted));
  }

  #unlisten(forwardId: number, reason: Reason): void {
    this.#deps.scheduler.push(encodeUnlisten(forwardId, 'opener', reason));
  }

  #onListen(frame: Frame): void {
    const request = decodeListen(frame);
    const { handlers, log, scheduler, terms } = this.#deps;
    if (request === undefined || terms() !== 'extended' || !scheduler.hasRoom)
      log.debug('dropped a request for a port');
    else if (request.place === undefined) this.answer(request.forwardId, 'bad-request');
    else handlers.onListen(request.forwardId, request.place);
  }

  #onListening(frame: Frame): void {
    const entry = this.#entries.get(decodeForwardId(frame) ?? -1);
    if (entry?.state !== 'asked') return;
    entry.timeout?.cancel();
    entry.state = 'listening';
    entry.handlers.onListening(frame.id);
  }

  #end(forwardId: number, reason: Reason): void {
    this.#take(forwardId)?.handlers.onEnded(reason);
  }

  #take(forwardId: number): Entry | undefined {
    const entry = this.#entries.get(forwardId);
    if (entry === undefined) return undefined;
    entry.timeout?.cancel();
    this.#entries.delete(forwardId);
    this.#deps.ids.release(forwardId);
    return entry;
  }
}
