/** One encrypted connection over any number of routes: the handshake, the session that it gives, and the path of its packets. */
import type { Endpoint } from '../../base/endpoint.js';
import { RateMeter } from '../../base/rate-meter.js';
import type { PublicKey } from '../crypto/keys.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
import { CryptoKind } from '../packet/kind.js';
import { HANDSHAKE_SIZE } from '../packet/net-crypto.js';
import { isPacketRequest } from '../packet/net-crypto-request.js';
import { buildCookieRequest, type OpenedHandshake, openCookieResponse } from './handshake/handshake.js';
import { type HandshakeMeaning, HandshakeState, type SessionKeys, type Stage } from './handshake/handshake-state.js';
import { PacketSizes } from './path/packet-size.js';
import { Path } from './path/path.js';
import { type Route, UdpRoute } from './path/route.js';
import { CoalescedTimer } from './stream/coalesced-timer.js';
import type { CloseReason, ConnectionHandlers, ConnectionHost, PeerKeys, Traffic } from './stream/connection-host.js';
import type { TickTask } from './stream/loop-tick.js';
import { Session } from './stream/session.js';

export class CryptoConnection implements TickTask {
  readonly realKey: PublicKey;
  readonly dhtKey: PublicKey;
  readonly #host: ConnectionHost<CryptoConnection>;
  readonly #handlers: ConnectionHandlers;
  readonly #handshake: HandshakeState;
  readonly #path: Path;
  readonly #session: Session;
  readonly #sizes: PacketSizes;
  readonly #timer: CoalescedTimer;
  /** Where packets are sent; undefined for a relay. */
  #endpoint: Endpoint | undefined;
  readonly #received = new RateMeter();
  readonly #sent = new RateMeter();
  /** The latest time passed in, ms of the clock: exact enough for counting, and free. */
  #now: number;

  /** @param accepted the peer's handshake that this answers, and its route; without one, a cookie is requested */
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
    const now = host.tick.now();
    this.#now = now;
    this.#handshake = new HandshakeState(
      {
        host,
        onKeys: () => {
          this.#session.receiver.ackImmediately();
          handlers.onKeys();
        },
      },
      { peer, now, accepted: accepted?.handshake },
    );
    this.#sizes = new PacketSizes(host, () => this.#session.features);
    this.#path = new Path({
      random: host.random,
      buildProbe: (echo) =>
        buildCookieRequest(host.dhtSecret(peer.dhtKey), host.random.bytes(NONCE_SIZE), host.dhtKey, {
          realKey: host.identity.publicKey,
          echo,
        }),
      readProbeAnswer: (packet) => openCookieResponse(packet, host.dhtSecret(peer.dhtKey)),
      bind: (route, isProven) => host.bind(route, this, isProven),
      unbind: (route) => host.unbind(route, this),
      onChange: (route, hasFailed) => {
        this.#sizes.choose(route, host.clock.now());
        // The peer learns at once where we are now.
        this.#session.receiver.ackImmediately();
        this.#session.sender.beginRoute();
        if (hasFailed) this.#session.sender.onPathLost();
        this.#useSaved(route?.endpoint);
      },
      onReachable: (route) => handlers.onRouteChange(route),
      onDirectChange: (isDirect) => handlers.onDirectChange(isDirect),
      onRefused: () => {
        if (this.state !== 'closed') host.tick.deferToEnd(this);
      },
      isUdpBlocked: () => host.isUdpBlocked(),
      now: () => host.clock.now(),
    });
    this.#session = new Session({
      memory: {
        received: host.memory.received.share(),
        sent: host.memory.sent.share(),
        packets: host.memory.packets,
      },
      emit: (bufferStart, number, data, size) => this.#emit(bufferStart, number, data, size),
      handlers,
      isOpen: () => this.#handshake.keys !== undefined,
      isAlone: () => host.isAlone(),
      packetSize: () => this.#sizes.chosen,
      path: this.#path,
    });
    this.#timer = new CoalescedTimer(host.clock, (later) => this.onTickEnd(later));
    if (accepted === undefined) return;
    this.#onReceived(accepted.source, HANDSHAKE_SIZE, now);
    host.tick.deferToEnd(this);
  }

  get state(): HandshakeState['state'] {
    return this.#handshake.state;
  }

  /** The stage at which it was closed; the current stage while it is open. */
  get lastStage(): Stage {
    return this.#handshake.lastStage;
  }

  /** Whether packets go by UDP, and the peer's packets arrived by UDP within the last 8 s. */
  get isDirect(): boolean {
    return this.#path.isDirect(this.#host.clock.now());
  }

  /** Whether the peer's packets come by UDP while ours go by a relay, since UDP does not deliver them. */
  get isOneWay(): boolean {
    return this.#path.isOneWay(this.#host.clock.now());
  }

  /** Where packets are sent; undefined over a relay, or while no route is known. */
  get endpoint(): Endpoint | undefined {
    return this.#path.endpoint(this.#host.clock.now());
  }

  /** Largest size in bytes that passes undivided; it may change whenever packets are sent or received. */
  get packetSize(): number {
    return this.#sizes.size;
  }

  /** Totals of data packets, including those of net_crypto itself. */
  get traffic(): Traffic {
    const now = this.#host.clock.now();
    const { rtt, sender, lossy } = this.#session;
    return {
      rtt: rtt.isKnown ? rtt.smoothed : undefined,
      bytesIn: this.#received.total,
      bytesOut: this.#sent.total,
      rateIn: this.#received.rate(now),
      rateOut: this.#sent.rate(now),
      retransmissions: sender.retransmissions,
      lossyDropped: lossy.dropped,
    };
  }

  /** When the last packet of the session was received, ms of the clock; -Infinity for never. */
  get lastReceivedAt(): number {
    return this.#path.latestReceivedAt;
  }

  hasRoute(key: string): boolean {
    return this.#path.has(key);
  }

  /** Adds an address at which the peer may be; the best of several that answers is used. */
  setEndpoint(endpoint: Endpoint): void {
    if (!this.#host.hasUdp) return;
    if (this.#path.has(endpoint.key)) this.#path.restartProbes();
    else this.addRoute(new UdpRoute(endpoint, this.#host.send));
    this.#path.onNamed(endpoint.key);
  }

  /** Whether the peer is proven to be at the address of this route. */
  isAt(key: string): boolean {
    return this.#path.isProven(key);
  }

  /** Adds a route to the peer, such as a relay; while connecting, it is tried at once. */
  addRoute(route: Route): void {
    if (this.state === 'closed' || !this.#path.add(route)) return;
    if (this.state !== 'established') this.#handshake.retryNow(this.#host.tick.now());
    this.#host.tick.deferToEnd(this);
  }

  /** A part of a route failed, such as one of several relays, and the packets on it are lost. */
  onPathLost(): void {
    this.#session.sender.onPathLost();
  }

  /** A known route carries packets again, or better than before: waiting packets are sent at once. */
  onRouteReady(): void {
    if (this.state === 'closed') return;
    if (this.state === 'established') this.#path.restartProbes();
    else this.#handshake.retryNow(this.#host.tick.now());
    this.#host.tick.deferToEnd(this);
  }

  /** There is room again on a route that was busy. */
  onRouteDrained(): void {
    if (this.state !== 'closed') this.#host.tick.deferToEnd(this);
  }

  removeRoute(key: string): void {
    if (this.#path.remove(key)) this.#host.tick.deferToEnd(this);
  }

  /**
   * Takes a copy of a lossless packet, or returns false and takes nothing; then `onDrain` follows. It may be called at once: packets
   * taken before the session exists are its first packets. A closed connection takes everything and sends nothing.
   * @param data 1 to 1445 bytes, to c-toxcore 1373, the first of which is an id from 16 to 191
   * @param options.isUrgent for our own few packets that must not be refused: may exceed the bound a little
   * @throws RangeError for other data
   */
  sendLossless(data: Buffer, options?: { readonly isUrgent: boolean }): boolean {
    if (this.state === 'closed') return true;
    if (!this.#session.sender.enqueue(data, options?.isUrgent ?? false)) return false;
    this.#host.tick.deferToEnd(this);
    return true;
  }

  /**
   * Sends a lossy packet once: at once, or as soon as a full path has room. @returns false if it is lost here
   * @param data 1 to 1445 bytes, to c-toxcore 1373, the first of which is an id from 192 to 254; must stay unchanged
   * @throws RangeError for other data
   */
  sendLossy(data: Buffer): boolean {
    const { lossy } = this.#session;
    const isTaken = lossy.send(data, this.#host.tick.now());
    if (lossy.needsTick) this.#host.tick.deferToEnd(this);
    return isTaken;
  }

  /** Sends kill packets and closes; `onClosed` is not called. */
  kill(): void {
    if (this.state === 'closed') return;
    this.#session.sendKill();
    this.#end('stopped');
  }

  /** Closes without notice to the peer, which has started a new session or is gone. */
  close(reason: CloseReason): void {
    if (this.state === 'closed') return;
    this.#end(reason);
    this.#handlers.onClosed(reason);
  }

  /** @returns false when the response belongs to another request */
  receiveCookieResponse(packet: Buffer, source: Route): boolean {
    if (!this.#path.has(source.key)) return false;
    const now = this.#host.tick.now();
    const cookie = this.#path.receiveAnswer(source, packet, now);
    if (cookie === undefined) return false;
    this.#handshake.receiveCookie(cookie, now);
    this.#host.tick.deferToEnd(this);
    return true;
  }

  /** A cookie request with the keys of this peer arrived: during a session, it is a path probe. */
  onProbeReceived(dhtKey: PublicKey, source: Route, now: number): void {
    if (this.state !== 'established' || source.kind === 'relay' || !dhtKey.equals(this.dhtKey)) return;
    this.addRoute(source);
    this.#path.onProbeReceived(source.key, now);
  }

  /** A handshake of this peer arrived; one for another session has no effect but the returned meaning. */
  receiveHandshake(handshake: OpenedHandshake, source: Route): HandshakeMeaning {
    const now = this.#host.tick.now();
    const meaning = this.#handshake.receiveHandshake(handshake, now, this.lastReceivedAt);
    // It proves nothing about another address until data arrives from there.
    if (meaning === 'known') {
      this.addRoute(source);
      this.#path.onReceivedUnverified(source.key, HANDSHAKE_SIZE);
    }
    if (meaning === 'progress') {
      this.#onReceived(source, HANDSHAKE_SIZE, now);
      this.#host.tick.deferToEnd(this);
    }
    return meaning;
  }

  /** @returns false when the packet is not of this session; then it is unchanged */
  receiveData(packet: Buffer, source: Route, now: number): boolean {
    const { keys } = this.#handshake;
    const content = keys?.cipher.open(packet);
    if (keys === undefined || content === undefined) return false;
    this.#now = now;
    this.#received.add(packet.length, now);
    // A copy of an old packet, from any address, does not move the path.
    if (keys.cipher.isFirst) this.#onReceived(source, packet.length, now);
    if (content === 'empty') return true;
    if (content.data[0] === CryptoKind.Kill) {
      this.close('killed');
      return true;
    }
    if (this.#handshake.confirm()) {
      this.#session.receiver.ackImmediately();
      this.#host.log.debug(`${this.realKey.short} established over ${source.endpoint ?? 'relays'}`);
      this.#handlers.onEstablished();
    }
    const { sender, receiver } = this.#session;
    if (this.state !== 'closed') this.#session.receive(content, now);
    if (sender.takeRouteConfirmed()) this.#path.onConfirmed(now, receiver.arrivals);
    this.#host.tick.deferToEnd(this);
    return true;
  }

  /** Does the work that the events of this tick made due. */
  onTickEnd(now: number): void {
    this.#now = now;
    this.#attempt(now);
    const { sender, receiver } = this.#session;
    if (receiver.isStuck(now)) this.close('stuck');
    if (this.#session.isTooLarge(now)) {
      // The peer's own timeout would be 32 s.
      this.#session.sendKill();
      this.close('too large');
    }
    if (this.state === 'closed') return;
    if (receiver.isInBlackHole) this.#path.leaveUdp(now);
    this.#path.choose(now, this.#session.evidence);
    this.#session.onTickEnd(now);
    if (this.state === 'established') this.#path.probeRoutes(now, this.#session.evidence, this.#sealProbe);
    if (sender.isBehind) this.#host.tick.deferToEnd(this);
    else this.#schedule(now);
  }

  #attempt(now: number): void {
    if (this.state === 'established' || this.#path.routes.length === 0) return;
    const packet = this.#handshake.attempt(now);
    if (packet === 'give up') this.close('timeout');
    else if (packet === 'ask') this.#path.requestCookies(now);
    else if (packet !== 'wait') this.#path.sendEverywhere(packet);
  }

  /** @param size bytes of the packet */
  #onReceived(source: Route, size: number, now: number): void {
    if (this.#path.onReceived(source.key, size, now)) return;
    this.addRoute(source);
    this.#path.onReceived(source.key, size, now);
  }

  #emit(bufferStart: number, number: number, data: Buffer, size: number | undefined): void {
    if (this.#handshake.keys === undefined) return;
    const packet = this.#seal(bufferStart, number, data, size);
    if (this.#sizes.isTooLarge(data)) {
      if (this.#path.sendLarge(packet)) this.#session.sender.beginRoute();
    } else this.#path.send(packet, isPacketRequest(data));
  }

  readonly #seal = (bufferStart: number, number: number, data: Buffer, size?: number): Buffer => {
    const packet = (this.#handshake.keys as SessionKeys).cipher.seal(bufferStart, number, data, size);
    this.#sent.add(packet.length, this.#now);
    return packet;
  };

  readonly #sealProbe = (): Buffer => this.#session.sealProbe(this.#seal);

  #schedule(now: number): void {
    const isEstablished = this.state === 'established';
    const isMute = isEstablished || this.#path.routes.length === 0;
    const attemptAt = isMute ? Number.POSITIVE_INFINITY : this.#handshake.dueAt;
    const pathAt = isEstablished ? this.#path.dueAt : Number.POSITIVE_INFINITY;
    this.#timer.setFor(Math.min(attemptAt, pathAt, this.#session.wakeAt(now)), now);
  }

  /** Saves what was learned about the path in use for later sessions, and uses what earlier ones learned about the next path. */
  #useSaved(endpoint: Endpoint | undefined): void {
    const { savedPaths, clock } = this.#host;
    const { learned } = this.#session.congestion;
    if (this.#endpoint !== undefined && learned !== undefined) {
      savedPaths.save(this.realKey, this.#endpoint, learned, clock.now());
    }
    this.#endpoint = endpoint;
    const saved = endpoint && savedPaths.find(this.realKey, endpoint, clock.now());
    if (saved !== undefined) this.#session.congestion.resume(saved);
  }

  #end(reason: CloseReason): void {
    this.#useSaved(undefined);
    this.#handshake.close(reason);
    this.#host.log.debug(`${this.realKey.short} closed: ${reason}`);
    this.#timer.cancel();
    this.#session.close();
    this.#path.close();
    this.#host.forget(this);
  }
}
