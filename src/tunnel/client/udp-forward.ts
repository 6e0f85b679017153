/**
 * A local UDP port: the datagrams of each local program, by its address and port, are one session with the target. A session is
 * requested by its first datagram; it ends when nothing came for a while, and with the tunnel.
 */
import { HostListener } from '../../base/host-listener.js';
import { type LocalPlace, placeText } from '../../base/local-place.js';
import { type UdpAddress, UdpListener } from '../datagram/udp-socket.js';
import type { DatagramEnd, DatagramHandlers } from '../stream/datagram-end.js';
import { explainReason, type Reason } from '../wire/reasons.js';
import { describeTarget } from '../wire/target.js';
import { describeForward, type Forward, type ForwardTraffic, type LocalSpec, notSupported } from './forward-spec.js';
import type { LocalForwardDeps } from './local-forward.js';
import { listenError } from './place-listener.js';

/** Sessions of one forward; another one takes the place of the one that was idle longest. */
const MAX_SESSIONS = 512;
/** Datagrams and bytes of one session that wait for the answer to its request; others are lost. */
const MAX_WAITING = 16;
const MAX_WAITING_BYTES = 128 * 1024;
/** ms for which the datagrams of a session are lost that was refused: programs repeat them, and each request costs the peer time. */
const REFUSED_TIME = 2_000;

export class UdpForward implements Forward {
  readonly spec: LocalSpec;
  readonly #deps: LocalForwardDeps;
  readonly #listener: HostListener<UdpListener>;
  /** By the address and port of the program. */
  readonly #sessions = new Map<string, Session>();
  /** Of sessions that have ended. */
  #ended = { total: 0, bytesSent: 0, bytesReceived: 0 };
  #isFull = false;

  constructor(deps: LocalForwardDeps, options: { readonly spec: LocalSpec }) {
    this.spec = options.spec;
    this.#deps = deps;
    this.#listener = new HostListener({
      makeServer: () => {
        const listener: UdpListener = new UdpListener((bytes, from) => this.#onDatagram(listener, bytes, from));
        return listener;
      },
      onError: (error) => deps.log.warn(`UDP ${placeText(this.at)}: ${error.message}`),
      lookUp: deps.lookUp,
    });
  }

  get at(): LocalPlace {
    const { at } = this.spec;
    return at.kind === 'port' ? { ...at, port: this.port } : at;
  }

  get port(): number {
    const { at } = this.spec;
    return this.#listener.port ?? (at.kind === 'port' ? at.port : 0);
  }

  /** Sessions without a tunnel yet. */
  get pending(): number {
    return this.#count('waiting');
  }

  get traffic(): ForwardTraffic {
    const open = this.#count('open');
    const traffic = { ...this.#ended, total: this.#ended.total + open, open };
    for (const { bytesSent, bytesReceived } of this.#sessions.values()) {
      traffic.bytesSent += bytesSent;
      traffic.bytesReceived += bytesReceived;
    }
    return traffic;
  }

  /** Listens on every address of the spec's name. @throws ListenError with what to do about it; then it listens nowhere */
  async listen(): Promise<void> {
    const { at } = this.spec;
    if (at.kind !== 'port') throw notSupported(`UDP at ${placeText(at)}`);
    try {
      await this.#listener.listen(at.bind, at.port);
    } catch (error) {
      throw listenError(at, error);
    }
    this.#deps.log.info(`listening: ${describeForward({ ...this.spec, at: this.at })}`);
  }

  /** Stops listening, and ends the sessions: without the port no answer would reach a program. */
  close(): void {
    this.#listener.close();
    for (const session of [...this.#sessions.values()]) session.end();
    this.#deps.onClosed?.();
  }

  abort(): void {
    this.close();
  }

  #count(state: Session['state']): number {
    let count = 0;
    for (const session of this.#sessions.values()) if (session.state === state) count += 1;
    return count;
  }

  #onDatagram(listener: UdpListener, bytes: Buffer, from: UdpAddress): void {
    const key = `${from.address} ${from.port}`;
    let session = this.#sessions.get(key);
    const now = this.#deps.clock.now();
    if (session?.state === 'refused' && now - session.usedAt >= REFUSED_TIME) {
      session.end();
      session = undefined;
    }
    session ??= this.#open(key, listener, from);
    session?.take(bytes, now);
  }

  #open(key: string, listener: UdpListener, from: UdpAddress): Session | undefined {
    if (!this.#deps.hasRoom()) {
      this.#warnFull();
      return undefined;
    }
    this.#isFull = false;
    if (this.#sessions.size >= MAX_SESSIONS) this.#longestIdle?.end();
    const session = new Session({
      send: (bytes) => listener.send(bytes, from),
      onOver: () => this.#onOver(key, session),
    });
    this.#sessions.set(key, session);
    session.cancel = this.#deps.opener.open(this.spec.target, {
      onAccepted: () => session,
      onRefused: (reason) => this.#onRefused(session, reason),
    });
    return session;
  }

  get #longestIdle(): Session | undefined {
    let idle: Session | undefined;
    for (const session of this.#sessions.values()) if (session.usedAt < (idle?.usedAt ?? Infinity)) idle = session;
    return idle;
  }

  #onRefused(session: Session, reason: Reason): void {
    const name = describeTarget(this.spec.target);
    const [source, text] = [describeForward(this.spec), `${name}: ${explainReason(reason)}`];
    this.#deps.floodLog.say({ source, name, kind: 'session refused', level: 'warn', text });
    session.refuse(this.#deps.clock.now());
  }

  #onOver(key: string, session: Session): void {
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    if (!session.wasOpen) return;
    this.#ended.total += 1;
    this.#ended.bytesSent += session.bytesSent;
    this.#ended.bytesReceived += session.bytesReceived;
  }

  /** Once until there is room again, because programs retry. */
  #warnFull(): void {
    const target = describeTarget(this.spec.target);
    if (!this.#isFull)
      this.#deps.log.warn(`${target}: too many connections are open for another UDP session: close some`);
    this.#isFull = true;
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

  get wasOpen(): boolean {
    return this.#handlers !== undefined;
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
