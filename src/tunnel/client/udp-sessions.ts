/**
 * The UDP sessions of local programs: a session is requested by its first datagram, and ends when nothing came for a while, or with the
 * tunnel. Its owner decides what a session is, by a key.
 */
import type { Clock } from '../../base/clock.js';
import type { DatagramEnd, DatagramHandlers } from '../stream/datagram-end.js';
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';
import type { ForwardTraffic } from './forward-spec.js';
import type { Opener } from './peer-opener.js';
import { TrafficSum } from './traffic-sum.js';

/** Sessions of one owner; another one takes the place of the one that was idle longest. */
const MAX_SESSIONS = 512;
/**
 * Sessions of one owner that wait for the answer to their request. More than a burst of a program; without the limit one that sends to
 * many destinations, which costs it nothing, would fill the queue to the peer with requests.
 */
const MAX_REQUESTS = 128;
/** Datagrams and bytes of one session that wait for the answer to its request; others are lost. */
const MAX_WAITING = 16;
const MAX_WAITING_BYTES = 128 * 1024;
/** ms for which the datagrams of a session are lost that was refused: programs repeat them, and each request costs the peer time. */
const REFUSED_TIME = 2_000;

export interface UdpSessionsDeps {
  readonly clock: Clock;
  readonly opener: Opener;
  /** Whether the process may have another connection; asked before each session. */
  readonly hasRoom: () => boolean;
  /** A datagram was lost because there is no room; `false`: there is room again. */
  readonly onFull: (isFull: boolean) => void;
  readonly onRefused: (target: Target, reason: Reason) => void;
}

export class UdpSessions {
  readonly #deps: UdpSessionsDeps;
  readonly #sessions = new Map<string, Session>();
  readonly #sum = new TrafficSum<Session>((session) => session);

  constructor(deps: UdpSessionsDeps) {
    this.#deps = deps;
  }

  /** Sessions without a tunnel yet. */
  get pending(): number {
    let count = 0;
    for (const { state } of this.#sessions.values()) if (state === 'waiting') count += 1;
    return count;
  }

  get traffic(): ForwardTraffic {
    return this.#sum.traffic;
  }

  /**
   * A datagram of a program.
   * @param key of its session, which always has the same target
   * @param reply sends a datagram of the target to the program
   */
  take(key: string, target: Target, bytes: Buffer, reply: (bytes: Buffer) => void): void {
    let session = this.#sessions.get(key);
    const now = this.#deps.clock.now();
    if (session?.state === 'refused' && now - session.usedAt >= REFUSED_TIME) {
      session.end();
      session = undefined;
    }
    session ??= this.#open(key, target, reply);
    session?.take(bytes, now);
  }

  /** Ends the sessions whose key matches. */
  end(matches: (key: string) => boolean): void {
    for (const [key, session] of [...this.#sessions]) if (matches(key)) session.end();
  }

  #open(key: string, target: Target, reply: (bytes: Buffer) => void): Session | undefined {
    const { clock, hasRoom, onFull, onRefused, opener } = this.#deps;
    const isFull = !hasRoom();
    onFull(isFull);
    if (isFull || this.pending >= MAX_REQUESTS) return undefined;
    if (this.#sessions.size >= MAX_SESSIONS) this.#longestIdle?.end();
    const session = new Session({ send: reply, onOver: () => this.#onOver(key, session) });
    this.#sessions.set(key, session);
    session.cancel = opener.open(target, {
      onAccepted: () => {
        this.#sum.begin(session);
        return session;
      },
      onRefused: (reason) => {
        onRefused(target, reason);
        session.refuse(clock.now());
      },
    });
    return session;
  }

  get #longestIdle(): Session | undefined {
    let idle: Session | undefined;
    for (const session of this.#sessions.values()) if (session.usedAt < (idle?.usedAt ?? Infinity)) idle = session;
    return idle;
  }

  #onOver(key: string, session: Session): void {
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    this.#sum.end(session);
  }
}

interface SessionDeps {
  /** Sends a datagram to the program. */
  send(bytes: Buffer): void;
  onOver(): void;
}

class Session implements DatagramEnd {
  readonly localPort = undefined;
  readonly remoteAddress = undefined;
  readonly #deps: SessionDeps;
  #state: 'waiting' | 'open' | 'refused' | 'over' = 'waiting';
  #handlers: DatagramHandlers | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Cancels the request. */
  cancel: (() => void) | undefined;
  /** When a datagram of the program came last, or the session was refused, ms. */
  usedAt = 0;
  bytesSent = 0;
  bytesReceived = 0;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  get state(): 'waiting' | 'open' | 'refused' | 'over' {
    return this.#state;
  }

  /** A datagram of the program. */
  take(bytes: Buffer, now: number): void {
    if (this.#state === 'refused' || this.#state === 'over') return;
    this.usedAt = now;
    if (this.#state === 'open') this.#pass(bytes);
    else if (this.#waiting.length < MAX_WAITING && this.#waitingBytes + bytes.length <= MAX_WAITING_BYTES) {
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
    }
  }

  refuse(now: number): void {
    if (this.#state === 'over') return;
    this.#state = 'refused';
    this.#waiting = [];
    this.usedAt = now;
  }

  /** Ends it from this side. */
  end(): void {
    const [before, handlers] = [this.#state, this.#handlers];
    this.#finish();
    if (before === 'waiting') this.cancel?.();
    else if (before === 'open') handlers?.onEnd();
  }

  start(handlers: DatagramHandlers): void {
    this.#handlers = handlers;
    this.#state = 'open';
    for (const bytes of this.#waiting.splice(0)) this.#pass(bytes);
  }

  send(bytes: Buffer): void {
    this.bytesReceived += bytes.length;
    this.#deps.send(bytes);
  }

  reset(): void {
    this.#finish();
  }

  destroy(): void {
    this.#finish();
  }

  #pass(bytes: Buffer): void {
    this.bytesSent += bytes.length;
    this.#handlers?.onDatagram(bytes);
  }

  #finish(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#waiting = [];
    this.#deps.onOver();
  }
}
