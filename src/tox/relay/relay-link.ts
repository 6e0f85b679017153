/**
 * One peer over relays (c-toxcore TCP_connection.c: TCP_Connection_to): tied to a few of them, of which those help that
 * the peer is connected to as well. Sleeps while the peer is reached directly.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { PooledRelay, RelayUser } from './pooled-relay.js';
import type { RelayRoute, RelayRouteState } from './relay-route.js';

/** Specification (MAX_FRIEND_TCP_CONNECTIONS): relays for one peer. */
const MAX_TIES = 6;
/** Specification (RECOMMENDED_FRIEND_TCP_CONNECTIONS): so many at which the peer is are enough. */
const ENOUGH_ONLINE = 3;
/** Specification: ms of direct contact before the relays are let go. */
const SLEEP_DELAY = 10_000;
/** A relay known by hearsay that failed so often in a row makes room for others. */
const MAX_FAILURES = 3;

export interface RelayLinkHandlers {
  /** One more relay may carry cookies and handshakes, or data. */
  onUsable(): void;
  /** No relay knows the peer any more. */
  onUnusable(): void;
  /** There is room again where there was none. */
  onDrain(): void;
  /** A relay failed, or its connection ended. */
  onRelayLost?(relay: NodeInfo, reason: string): void;
}

export interface RelayLinkDeps {
  readonly clock: Clock;
  readonly route: RelayRoute;
  /** Our own DHT key, under which we are a relay, if we are one. */
  readonly ownKey: PublicKey;
  /** The relay of the pool, made if it is new; undefined when there are too many. */
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
  /** How good the relays are for reaching the peer: 1 for each that may know it, 2 for each where it is. */
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

  /** How data fare now. */
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

  /** Relays at which the peer is connected as well. */
  get onlineRelays(): readonly NodeInfo[] {
    return this.#with('online').map(({ node }) => node);
  }

  /** The relay that carries packets to the peer now, or out of band those of a handshake. */
  get carrier(): NodeInfo | undefined {
    const carriers = this.#carriers();
    const ready = carriers.find(({ client }) => client?.isFull === false);
    return (ready ?? carriers[0] ?? this.#with('registered')[0])?.node;
  }

  /** The peer may be met at this relay. */
  tie(node: NodeInfo): void {
    if (this.#isClosed) return;
    const known = this.#ties.get(node.publicKey.hex);
    if (known !== undefined) {
      known.addEndpoint(node.endpoint);
      return;
    }
    if (this.#with('online').length >= ENOUGH_ONLINE && !this.#isEndOfLine(node.publicKey)) return;
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

  /** A relay said something of the peer, or came, or went. */
  noteStatus(): void {
    if (this.#isClosed) return;
    const before = this.#worth;
    this.#worth = 2 * this.#with('online').length + this.#with('registered').length;
    if (this.#worth > before) this.#handlers.onUsable();
    else if (this.#worth === 0 && before > 0) this.#handlers.onUnusable();
  }

  /** A relay failed or ended. */
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

  /** The oldest one that leads nowhere gives way; one that is just being dialled for the first time may lead somewhere. */
  #makeRoom(): boolean {
    for (const relay of this.#ties.values()) {
      if (relay.isConnecting && relay.failures === 0) continue;
      if (relay.client?.status(this.peer) === 'online' || this.#isEndOfLine(relay.publicKey)) continue;
      this.#untie(relay);
      return true;
    }
    return false;
  }

  /** Relays that carry data: all at which the peer is; where there is a direct connection that one alone, however full it is. */
  #carriers(): readonly PooledRelay[] {
    const online = this.#with('online');
    const [first] = online;
    return first !== undefined && this.#isEndOfLine(first.publicKey) ? [first] : online;
  }

  /** The peer is that relay itself, or we are: a connection to it is a direct one. */
  #isEndOfLine(relay: PublicKey): boolean {
    return relay.equals(this.peer) || relay.equals(this.#deps.ownKey);
  }

  /** Direct connections first. */
  #with(status: 'online' | 'registered'): PooledRelay[] {
    const relays = [...this.#ties.values()].filter(({ client }) => client?.status(this.peer) === status);
    const direct = relays.filter(({ publicKey }) => this.#isEndOfLine(publicKey));
    return direct.length === 0 ? relays : [...direct, ...relays.filter((relay) => !direct.includes(relay))];
  }
}
