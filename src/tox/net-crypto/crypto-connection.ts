/**
 * One encrypted connection: from a cookie request over the handshake to a session (the story is told in connection-state),
 * over whatever routes there are. What runs inside the session is packet-stream's.
 */
import type { Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import { RateMeter } from '../../base/rate-meter.js';
import type { PublicKey } from '../crypto/keys.js';
import { CryptoKind } from '../packet/kind.js';
import { MAX_CRYPTO_DATA_SIZE } from '../packet/net-crypto.js';
import { AttemptSchedule } from './attempt-schedule.js';
import type { ConnectionHandlers, ConnectionHost, PeerKeys } from './connection-host.js';
import { type CloseReason, type ConnectionState, type Session, type Stage, sessionOf } from './connection-state.js';
import { Greeter } from './greeter.js';
import { type OpenedHandshake, openCookieResponse } from './handshake.js';
import { PacketStream } from './packet-stream.js';
import { Path } from './path.js';
import { type Route, UdpRoute } from './route.js';
import type { TurnTask } from './turn.js';

/** Implementation: copies of a kill packet; if all get lost, the peer notices after 32 s. */
const KILL_COPIES = 3;

export class CryptoConnection implements TurnTask {
  readonly realKey: PublicKey;
  readonly dhtKey: PublicKey;
  readonly #host: ConnectionHost<CryptoConnection>;
  readonly #handlers: ConnectionHandlers;
  readonly #path: Path;
  readonly #greeter: Greeter;
  readonly #stream: PacketStream;
  readonly #attempts: AttemptSchedule;
  readonly #received = new RateMeter();
  readonly #sent = new RateMeter();
  #state: ConnectionState;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  /** The latest time that we were told, ms of the clock: exact enough for counting, and free. */
  #now: number;

  /** @param accepted the peer's handshake that this answers, and the way it came; without it a cookie is asked for */
  constructor(
    host: ConnectionHost<CryptoConnection>,
    peer: PeerKeys,
    handlers: ConnectionHandlers,
    accepted?: { readonly handshake: OpenedHandshake; readonly source: Route },
  ) {
    this.#host = host;
    this.realKey = peer.realKey;
    this.dhtKey = peer.dhtKey;
    this.#handlers = handlers;
    const now = host.turn.now();
    this.#now = now;
    this.#greeter = new Greeter({
      random: host.random,
      identity: host.identity,
      dhtKey: host.dhtKey,
      dhtSecret: () => host.dhtSecret(peer.dhtKey),
      realSecret: () => host.realSecret(peer.realKey),
      issueCookie: () => host.issueCookie(peer),
    });
    this.#path = new Path({
      bind: (route) => host.bind(route, this),
      unbind: (route) => host.unbind(route, this),
      onChange: (route) => {
        // The peer hears at once where we are now.
        this.#stream.urge();
        handlers.onRouteChange(route);
      },
      onDirectChange: (isDirect) => handlers.onDirectChange(isDirect),
      now: () => host.clock.now(),
    });
    this.#attempts = new AttemptSchedule(now);
    this.#stream = new PacketStream({
      emit: (bufferStart, number, data) => this.#emit(bufferStart, number, data),
      isOpen: () => sessionOf(this.#state) !== undefined,
      isBlocked: () => this.#path.isBusy,
      pacesItself: () => this.#path.pacesItself,
      onLossless: (data) => handlers.onLossless(data),
      onLossy: (data) => handlers.onLossy(data),
      onDrain: () => handlers.onDrain(),
    });
    if (accepted === undefined) {
      this.#state = { kind: 'cookie-requesting', ...this.#greeter.cookieRequest() };
    } else {
      const { handshake, source } = accepted;
      this.#state = {
        kind: 'not-confirmed',
        packet: this.#greeter.handshake(handshake.cookie),
        session: this.#greeter.session(handshake),
      };
      this.#addHeardRoute(source, now);
      host.turn.atEnd(this);
    }
  }

  get state(): ConnectionState['kind'] {
    return this.#state.kind;
  }

  /** What it was doing when it ended; what it does as long as it has not. */
  get lastStage(): Stage {
    return this.#state.kind === 'closed' ? this.#state.during : this.#state.kind;
  }

  /** Round trip in ms; undefined before one was measured. */
  get rtt(): { readonly min: number; readonly smoothed: number } | undefined {
    const { rtt } = this.#stream;
    return rtt.isKnown ? { min: rtt.min, smoothed: rtt.smoothed } : undefined;
  }

  /** Whether the peer was heard over UDP within the last 8 s. */
  get isDirect(): boolean {
    return this.#path.isDirect(this.#host.clock.now());
  }

  /** Where packets go; undefined over a relay, or while no way is known. */
  get endpoint(): Endpoint | undefined {
    return this.#path.endpoint(this.#host.clock.now());
  }

  get routes(): readonly Route[] {
    return this.#path.routes;
  }

  /** Bytes of data packets received, net_crypto's own included. */
  get bytesIn(): number {
    return this.#received.total;
  }

  get bytesOut(): number {
    return this.#sent.total;
  }

  /** Bytes a second received within the last seconds. */
  get rateIn(): number {
    return this.#received.rate(this.#host.clock.now());
  }

  get rateOut(): number {
    return this.#sent.rate(this.#host.clock.now());
  }

  get retransmissions(): number {
    return this.#stream.retransmissions;
  }

  /** Bytes a second that the path was seen to deliver. */
  get sendRate(): number {
    return this.#stream.deliveryRate * 1000;
  }

  /** When a packet of the peer's session came last, ms of the clock; -Infinity for never. */
  get lastHeardAt(): number {
    return this.#path.latestHeardAt;
  }

  hasRoute(key: string): boolean {
    return this.#path.has(key);
  }

  /** The peer may be there; several addresses are kept, and the best that answers is used. */
  setEndpoint(endpoint: Endpoint): void {
    if (this.#path.has(endpoint.key)) this.#path.tryAnew();
    else this.addRoute(new UdpRoute(endpoint, this.#host.send));
  }

  /** A way to the peer, such as a relay; while connecting it is tried at once. */
  addRoute(route: Route): void {
    if (this.#state.kind === 'closed' || !this.#path.add(route)) return;
    if (this.#state.kind !== 'established') this.#attempts.restart(this.#host.turn.now());
    this.#host.turn.atEnd(this);
  }

  /** A part of a route broke, such as one of several relays, and what it carried is lost. */
  noteRouteBroken(): void {
    this.#stream.lostWay();
  }

  /** A known route carries packets again, or better than before: what waits for it goes at once. */
  noteRouteReady(): void {
    if (this.#state.kind === 'closed') return;
    if (this.#state.kind === 'established') this.#path.tryAnew();
    else this.#attempts.restart(this.#host.turn.now());
    this.#host.turn.atEnd(this);
  }

  /** There is room again on a route that was busy. */
  noteRouteDrained(): void {
    if (this.#state.kind !== 'closed') this.#host.turn.atEnd(this);
  }

  removeRoute(key: string): void {
    if (this.#path.remove(key)) this.#host.turn.atEnd(this);
  }

  /**
   * Takes a lossless packet whole or, returning false, not at all; `onDrain` follows then. It may be called at once: what is
   * taken before there is a session goes with the first packets of it. A closed connection takes all and sends nothing.
   * @param data 1 to 1373 bytes, the first of which is an id from 16 to 191; must stay unchanged
   * @param options.isUrgent for the few packets of our own that must not be refused: goes a little beyond the bound
   * @throws RangeError for other data
   */
  sendLossless(data: Buffer, options?: { readonly isUrgent: boolean }): boolean {
    checkData(data, CryptoKind.FirstLossless, CryptoKind.LastLossless);
    if (this.#state.kind === 'closed') return true;
    if (!this.#stream.takeLossless(data, options?.isUrgent ?? false)) return false;
    this.#host.turn.atEnd(this);
    return true;
  }

  /**
   * Sends a lossy packet, at once and once; false when it was not sent.
   * @param data 1 to 1373 bytes, the first of which is an id from 192 to 254
   * @throws RangeError for other data
   */
  sendLossy(data: Buffer): boolean {
    checkData(data, CryptoKind.FirstLossy, CryptoKind.LastLossy);
    return this.#stream.sendLossy(data);
  }

  /** Tells the peer and ends; `onClosed` is not called. */
  kill(): void {
    if (this.#state.kind === 'closed') return;
    if (sessionOf(this.#state) !== undefined) for (let copy = 0; copy < KILL_COPIES; copy += 1) this.#stream.sendKill();
    this.#end('stopped');
  }

  /** Ends without a word to the peer, which has begun anew or is not there. */
  close(reason: CloseReason): void {
    if (this.#state.kind === 'closed') return;
    this.#end(reason);
    this.#handlers.onClosed(reason);
  }

  /** @returns false when the response belongs to another request */
  receiveCookieResponse(packet: Buffer, source: Route): boolean {
    if (this.#state.kind !== 'cookie-requesting' || !this.#path.has(source.key)) return false;
    const cookie = openCookieResponse(packet, this.#host.dhtSecret(this.dhtKey), this.#state.echo);
    if (cookie === undefined) return false;
    this.#state = { kind: 'handshake-sent', packet: this.#greeter.handshake(cookie) };
    this.#attempts.restart(this.#host.turn.now());
    this.#host.turn.atEnd(this);
    return true;
  }

  /** A handshake of this peer, with this DHT key. */
  receiveHandshake(handshake: OpenedHandshake, source: Route): void {
    const now = this.#host.turn.now();
    const state = this.#state;
    switch (state.kind) {
      case 'cookie-requesting':
        // Both opened at once, and the peer was faster: its handshake brings the cookie that we asked for.
        this.#confirming(this.#greeter.handshake(handshake.cookie), this.#greeter.session(handshake));
        this.#attempts.restart(now);
        break;
      case 'handshake-sent':
        this.#confirming(state.packet, this.#greeter.session(handshake));
        break;
      case 'not-confirmed':
        if (!state.session.cipher.isOf(handshake)) this.#confirming(state.packet, this.#greeter.session(handshake));
        break;
      case 'established':
        // Sent again from another address; a copy could be, too, so that it proves nothing until data comes from there.
        if (state.session.cipher.isOf(handshake)) this.addRoute(source);
        return;
      case 'closed':
        return;
    }
    this.#addHeardRoute(source, now);
    this.#host.turn.atEnd(this);
  }

  /** Whether a handshake is the one that the present session was made from, sent again. */
  isOf(handshake: OpenedHandshake): boolean {
    return sessionOf(this.#state)?.cipher.isOf(handshake) ?? false;
  }

  /** Whether a handshake shows an older cookie than the one that made the present session: then it is a copy. */
  isOutdated(handshake: OpenedHandshake): boolean {
    const session = sessionOf(this.#state);
    return session !== undefined && handshake.cookieTime < session.cookieTime;
  }

  /** @returns false when the packet is not of this session; then it is unchanged */
  receiveData(packet: Buffer, source: Route, now: number): boolean {
    const session = sessionOf(this.#state);
    const content = session?.cipher.open(packet);
    if (session === undefined || content === undefined) return false;
    this.#now = now;
    this.#received.add(packet.length, now);
    // A copy of an old packet, from whatever address, moves nothing.
    if (session.cipher.isFirst && !this.#path.heard(source.key, now)) this.#addHeardRoute(source, now);
    if (content === 'empty') return true;
    if (content.data[0] === CryptoKind.Kill) {
      this.close('killed');
      return true;
    }
    if (this.#state.kind === 'not-confirmed') {
      this.#state = { kind: 'established', session };
      this.#stream.urge();
      this.#host.log.debug(`${this.realKey.short} established over ${source.endpoint ?? 'relays'}`);
      this.#handlers.onEstablished();
    }
    if (this.state !== 'closed') this.#stream.receive(content, now);
    this.#host.turn.atEnd(this);
    return true;
  }

  /** Does what the events of this turn made due. */
  endTurn(now: number): void {
    this.#now = now;
    this.#attempt(now);
    if (this.#state.kind === 'closed') return;
    this.#path.choose(now, this.#stream.isUnanswered);
    this.#stream.endTurn(now);
    if (this.#state.kind === 'established') this.#path.tryOthers(now, this.#sealTrial);
    if (this.#stream.isBehind) this.#host.turn.atEnd(this);
    else this.#schedule(now);
  }

  #attempt(now: number): void {
    const state = this.#state;
    if (state.kind === 'established' || state.kind === 'closed') return;
    if (this.#path.routes.length === 0) return;
    switch (this.#attempts.attempt(now)) {
      case 'wait':
        return;
      case 'give up':
        this.close('timeout');
        return;
      case 'send':
        this.#path.sendEverywhere(state.packet);
    }
  }

  #addHeardRoute(source: Route, now: number): void {
    this.addRoute(source);
    this.#path.heard(source.key, now);
  }

  #emit(bufferStart: number, number: number, data: Buffer): void {
    const session = sessionOf(this.#state);
    if (session === undefined) return;
    const packet = session.cipher.seal(bufferStart, number, data);
    this.#sent.add(packet.length, this.#now);
    this.#path.send(packet);
  }

  readonly #sealTrial = (): Buffer => {
    const session = sessionOf(this.#state) as Session;
    const packet = this.#stream.sealTrial((...content) => session.cipher.seal(...content));
    this.#sent.add(packet.length, this.#now);
    return packet;
  };

  /** One timer for all: it is moved only when something is due before it. */
  #schedule(now: number): void {
    if (this.#state.kind === 'closed') return;
    const isConnecting = this.#state.kind !== 'established' && this.#path.routes.length > 0;
    const attemptAt = isConnecting ? this.#attempts.dueAt : Number.POSITIVE_INFINITY;
    const trialAt = this.#state.kind === 'established' ? this.#path.trialAt : Number.POSITIVE_INFINITY;
    const wakeAt = Math.min(attemptAt, trialAt, this.#stream.wakeAt(now));
    if (wakeAt >= this.#timerAt || wakeAt === Number.POSITIVE_INFINITY) return;
    this.#timer?.cancel();
    this.#timerAt = wakeAt;
    this.#timer = this.#host.clock.after(Math.max(1, Math.ceil(wakeAt - now)), () => {
      this.#timer = undefined;
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.endTurn(this.#host.clock.now());
    });
  }

  #end(reason: CloseReason): void {
    sessionOf(this.#state)?.cipher.wipe();
    this.#greeter.wipe();
    this.#state = { kind: 'closed', reason, during: this.lastStage };
    this.#host.log.debug(`${this.realKey.short} closed: ${reason}`);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#path.close();
    this.#host.forget(this);
  }

  #confirming(packet: Buffer, session: Session): void {
    sessionOf(this.#state)?.cipher.wipe();
    this.#state = { kind: 'not-confirmed', packet, session };
    this.#stream.urge();
  }
}

function checkData(data: Buffer, firstId: number, lastId: number): void {
  const id = data[0] ?? -1;
  if (data.length > MAX_CRYPTO_DATA_SIZE || id < firstId || id > lastId) {
    throw new RangeError(`CryptoConnection: ${data.length} bytes with id ${id}`);
  }
}
