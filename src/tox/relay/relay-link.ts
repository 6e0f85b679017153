/**
 * One peer over relays (c-toxcore TCP_connection.c: TCP_Connection_to). The peer is tied to a few relays; those carry packets to
 * which it is connected as well. A link sleeps while the peer is reached directly.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { PooledRelay, RelayUser } from './pooled-relay.js';
import type { RelayRoute, RelayRouteState } from './relay-route.js';

/** Specification (MAX_FRIEND_TCP_CONNECTIONS): relays for one peer. */
const MAX_TIES = 6;
/** Specification (RECOMMENDED_FRIEND_TCP_CONNECTIONS): enough relays to which the peer is connected. */
const ENOUGH_ONLINE = 3;
/** Specification: ms of direct contact after which the link sleeps. */
const SLEEP_DELAY = 10_000;
/** A relay that failed so often in a row makes room for others, unless it is a home relay. */
const MAX_FAILURES = 3;

export interface RelayLinkHandlers {
  /** One more relay may carry cookies and handshakes, or data. */
  onUsable(): void;
  /** No relay knows the peer any more. */
  onUnusable(): void;
  /** There is room again after a packet was refused. */
  onDrain(): void;
  /** A relay failed, or its connection ended. */
  onRelayLost?(relay: NodeInfo, reason: string): void;
}

export interface RelayLinkDeps {
  readonly clock: Clock;
  readonly route: RelayRoute;
  /** Our own DHT key, which is also the key of our relay server. */
  readonly ownKey: PublicKey;
  /** Returns the relay of the pool, adding it if it is new; undefined when there are too many. */
  relay(node: NodeInfo): PooledRelay | undefined;
  onClosed(link: RelayLink): void;
}

export class RelayLink implements RelayUser {
  readonly peer: PublicKey;
  readonly route: RelayRoute;
  readonly #deps: RelayLinkDeps;
  readonly #handlers: RelayLinkHandlers;
  /** In the order in which they were tied. */
  readonly #ties = new Map<string, PooledRelay>();
  #isAwake = true;
  #sleep: Timer | undefined;
  /** 1 for each relay at which the peer is registered, 2 for each to which it is connected. */
  #worth = 0;
  #isClosed = false;

  constructor(deps: RelayLinkDeps, handlers: RelayLinkHandlers) {
    this.#deps = deps;
    this.route = deps.route;
    this.peer = deps.route.peer;
    this.#handlers = handlers;
  }

  get isAwake(): boolean {
    return this.#isAwake;
  }

  /** Whether cookies and handshakes may get through. */
  get isUsable(): boolean {
    return this.#worth > 0;
  }

  /** Whether data can be sent now. */
  get state(): RelayRouteState {
    const carriers = this.#carriers();
    if (carriers.length === 0) return 'doubtful';
    return carriers.some(({ client }) => client?.isFull === false) ? 'ready' : 'busy';
  }

  /** Whether the relay that carries packets now sets the pace. */
  get pacesItself(): boolean {
    const carriers = this.#carriers();
    return (carriers.find(({ client }) => client?.isFull === false) ?? carriers[0])?.client?.gathers ?? false;
  }

  /** The relay that carries data to the peer now, or else the first one that carries handshakes out of band. */
  get carrier(): NodeInfo | undefined {
    const carriers = this.#carriers();
    const ready = carriers.find(({ client }) => client?.isFull === false);
    return (ready ?? carriers[0] ?? this.#with('registered')[0])?.node;
  }

  /** Adds a relay at which the peer may be. */
  tie(node: NodeInfo): void {
    if (this.#isClosed) return;
    const known = this.#ties.get(node.publicKey.hex);
    if (known !== undefined) {
      known.addEndpoint(node.endpoint);
      return;
    }
    if (this.#with('online').length >= ENOUGH_ONLINE && !this.#isDirect(node.publicKey)) return;
    const relay = this.#deps.relay(node);
    if (relay === undefined) return;
    if (this.#ties.size >= MAX_TIES && !this.#makeRoom()) return;
    this.#ties.set(relay.publicKey.hex, relay);
    relay.tie(this);
    if (relay.client !== undefined) this.noteStatus();
  }

  /** Packets reach the peer without relays, or no longer. */
  setDirect(isDirect: boolean): void {
    if (!isDirect || this.#isClosed) {
      this.#sleep?.cancel();
      this.#sleep = undefined;
      this.#setAwake(!this.#isClosed);
    } else {
      this.#sleep ??= this.#deps.clock.after(SLEEP_DELAY, () => this.#setAwake(false));
    }
  }

  /** Sends over the first relay that the peer is connected to and that has room, else out of band over all that may know it. */
  send(packet: Buffer): boolean {
    const carriers = this.#carriers();
    for (const { client } of carriers) if (client?.sendData(this.peer, packet)) return true;
    if (carriers.length > 0) return false;
    const relays = this.#with('registered');
    for (const { client } of relays) client?.sendOob(this.peer, packet);
    return relays.length > 0;
  }

  /** A relay has reported a status of the peer, or was added or removed. */
  noteStatus(): void {
    if (this.#isClosed) return;
    const before = this.#worth;
    this.#worth = 2 * this.#with('online').length + this.#with('registered').length;
    if (this.#worth > before) this.#handlers.onUsable();
    else if (this.#worth === 0 && before > 0) this.#handlers.onUnusable();
  }

  /** An attempt at a relay has failed, or its connection has ended. */
  noteLost(relay: PooledRelay, reason: string): void {
    if (!this.#ties.has(relay.publicKey.hex)) return;
    if (this.#isAwake) this.#handlers.onRelayLost?.(relay.node, reason);
    if (relay.failures >= MAX_FAILURES && !relay.isHome) this.#untie(relay);
    this.noteStatus();
  }

  noteDrain(): void {
    this.#handlers.onDrain();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sleep?.cancel();
    for (const relay of [...this.#ties.values()]) this.#untie(relay);
    this.#deps.onClosed(this);
  }

  #setAwake(isAwake: boolean): void {
    if (isAwake === this.#isAwake) return;
    this.#isAwake = isAwake;
    for (const relay of [...this.#ties.values()]) relay.update();
  }

  #untie(relay: PooledRelay): void {
    this.#ties.delete(relay.publicKey.hex);
    relay.untie(this);
  }

  /** Unties the oldest relay to which the peer is not connected, but none that is being dialled for the first time. */
  #makeRoom(): boolean {
    for (const relay of this.#ties.values()) {
      if (relay.isConnecting && relay.failures === 0) continue;
      if (relay.client?.status(this.peer) === 'online' || this.#isDirect(relay.publicKey)) continue;
      this.#untie(relay);
      return true;
    }
    return false;
  }

  /** Returns the relays that carry data: all to which the peer is connected, or a direct connection alone, however full it is. */
  #carriers(): readonly PooledRelay[] {
    const online = this.#with('online');
    const [first] = online;
    return first !== undefined && this.#isDirect(first.publicKey) ? [first] : online;
  }

  /** Whether the relay is the peer itself or our own, so that no third machine is between us. */
  #isDirect(relay: PublicKey): boolean {
    return relay.equals(this.peer) || relay.equals(this.#deps.ownKey);
  }

  /** Returns the relays at which the peer has this status, direct connections first. */
  #with(status: 'online' | 'registered'): PooledRelay[] {
    const relays = [...this.#ties.values()].filter(({ client }) => client?.status(this.peer) === status);
    const direct = relays.filter(({ publicKey }) => this.#isDirect(publicKey));
    return direct.length === 0 ? relays : [...direct, ...relays.filter((relay) => !direct.includes(relay))];
  }
}
