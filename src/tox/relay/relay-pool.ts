/**
 * All relays (c-toxcore TCP_connection.c): three home relays that we stay connected to, through which strangers reach us and
 * which serve as first hops of the onion; and the relays at which our peers may be.
 */
import { AttemptLimit } from '../../base/address-race.js';
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import { pick, type Random } from '../../base/random.js';
import type { PublicKey } from '../crypto/keys.js';
import { RacedStream } from '../network/raced-stream.js';
import type { DialStream } from '../network/stream-socket.js';
import type { NodeInfo } from '../packet/node-info.js';
import { PooledRelay, type PooledRelayDeps, type PooledRelayHandlers } from './pooled-relay.js';
import { RelayClient } from './relay-client.js';
import { RelayLink, type RelayLinkHandlers } from './relay-link.js';
import { RelayRoute, type RelayRouteState, type RelaySender } from './relay-route.js';

/** Specification (NUM_ONION_TCP_CONNECTIONS, RECOMMENDED_FRIEND_TCP_CONNECTIONS): home relays. */
const HOME_RELAYS = 3;
/** Home relays tried at the same time, since many relays of a list are dead. */
const HOME_ATTEMPTS = 6;
/** Further addresses of all relays together that are tried at the same time, while first addresses do not answer. */
const MAX_ATTEMPTS_BESIDE = 16;
const DEFAULT_MAX_RELAYS = 512;

export interface RelayPoolDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly dial: DialStream;
  /** Our DHT key. */
  readonly ownKey: PublicKey;
  /** Returns the key that our DHT key and another one share. */
  readonly sharedKey: (publicKey: PublicKey) => Buffer;
  /** Where a router lets the internet reach our own relay. */
  readonly externalEndpoint?: () => Endpoint | undefined;
}

export interface RelayPoolOptions {
  /** Relays remembered at once, each of which may cost a descriptor; a public list names some 50, and each friend 6. */
  readonly maxRelays?: number;
}

export interface RelayPoolHandlers {
  /** A net_crypto packet of a peer has arrived; answers are sent to `source`. */
  readonly onPacket: (packet: Buffer, source: RelayRoute) => void;
  readonly onOnion: (packet: Buffer, relay: NodeInfo) => void;
  /** One more home relay is connected. */
  readonly onHomeConnected: () => void;
}

export class RelayPool implements RelaySender {
  readonly #deps: RelayPoolDeps;
  readonly #handlers: RelayPoolHandlers;
  readonly #maxRelays: number;
  readonly #log: Logger;
  readonly #attemptsBeside = new AttemptLimit(MAX_ATTEMPTS_BESIDE);
  /** The relays by the hex of their keys. */
  readonly #relays = new Map<string, PooledRelay>();
  /** The relays that may become home relays. */
  readonly #candidates = new Set<PooledRelay>();
  /** The links by the hex of the peer's DHT key; several, because a friend may claim the key of another one. */
  readonly #links = new Map<string, readonly RelayLink[]>();
  #own: PooledRelay | undefined;
  #isStopped = false;

  constructor(deps: RelayPoolDeps, handlers: RelayPoolHandlers, options: RelayPoolOptions = {}) {
    this.#deps = deps;
    this.#maxRelays = options.maxRelays ?? DEFAULT_MAX_RELAYS;
    this.#handlers = handlers;
    this.#log = deps.log.child('relay');
  }

  /** Adds a relay of our configuration, which may become a home relay. */
  add(node: NodeInfo): void {
    if (this.#isStopped) return;
    const relay = this.#relay(node);
    if (relay === undefined) return;
    this.#candidates.add(relay);
    this.#fillHomes();
  }

  /** Adds our own relay, at which strangers reach us as at any other. @param node its key and our loopback address */
  addOwn(node: NodeInfo): void {
    this.#own = this.#relay(node);
    if (this.#own !== undefined) this.#own.isHome = true;
  }

  /** The home relays that answer, without our own. */
  get homes(): readonly NodeInfo[] {
    return [...this.#candidates].filter(({ isHome, client }) => isHome && client !== undefined).map(({ node }) => node);
  }

  /** The relays at which others can reach us: the home relays, and last our own, which may be behind a NAT. */
  get meetingPlaces(): readonly NodeInfo[] {
    const own = this.#own?.client?.relay;
    if (own === undefined) return this.homes;
    const external = this.#deps.externalEndpoint?.();
    // A peer finds it at the address from which our packets come; only another port that the router chose must be named.
    const isMoved = external !== undefined && external.port !== own.endpoint.port;
    return [...this.homes, isMoved ? { ...own, endpoint: external } : own];
  }

  /** @returns false when the relay is not connected, or has no room */
  sendOnion(relay: PublicKey, data: Buffer): boolean {
    return this.#relays.get(relay.hex)?.client?.sendOnion(data) ?? false;
  }

  /** Starts to reach a peer over relays: our home relays, and those that are tied to the link. */
  link(peer: PublicKey, handlers: RelayLinkHandlers): RelayLink {
    const link: RelayLink = new RelayLink(
      {
        clock: this.#deps.clock,
        ownKey: this.#deps.ownKey,
        route: new RelayRoute(this, peer),
        relay: (node) => this.#relay(node),
        onClosed: () => this.#unlink(link),
      },
      handlers,
    );
    this.#links.set(peer.hex, [...this.#linksWith(peer), link]);
    for (const node of this.#own === undefined ? this.homes : [this.#own.node, ...this.homes]) link.tie(node);
    return link;
  }

  sendTo(peer: PublicKey, packet: Buffer, via: PublicKey | undefined): void {
    if (this.#linksWith(peer).some((link) => link.send(packet))) return;
    if (via !== undefined) this.#relays.get(via.hex)?.client?.sendOob(peer, packet);
  }

  stateOf(peer: PublicKey): RelayRouteState {
    const states = this.#linksWith(peer).map(({ state }) => state);
    return states.find((state) => state === 'ready') ?? states.find((state) => state === 'busy') ?? 'doubtful';
  }

  pacesItself(peer: PublicKey): boolean {
    return this.#linksWith(peer).some((link) => link.pacesItself);
  }

  /** Checks or tries all relays again: we slept, or the network has changed. */
  refresh(): void {
    for (const relay of this.#relays.values()) relay.refresh();
    this.#fillHomes();
  }

  stop(): void {
    this.#isStopped = true;
    for (const link of this.#allLinks()) link.close();
    for (const relay of this.#relays.values()) relay.close();
  }

  #linksWith(peer: PublicKey): readonly RelayLink[] {
    return this.#links.get(peer.hex) ?? [];
  }

  #allLinks(): readonly RelayLink[] {
    return [...this.#links.values()].flat();
  }

  #unlink(link: RelayLink): void {
    const left = this.#linksWith(link.peer).filter((other) => other !== link);
    if (left.length > 0) this.#links.set(link.peer.hex, left);
    else this.#links.delete(link.peer.hex);
  }

  #relay(node: NodeInfo): PooledRelay | undefined {
    const { publicKey, endpoint } = node;
    if (!endpoint.isUnicast || !publicKey.isValid || this.#isStopped) return undefined;
    const known = this.#relays.get(publicKey.hex);
    if (known !== undefined) {
      known.addEndpoint(endpoint);
      return known;
    }
    const { clock, random, dial, ownKey, sharedKey } = this.#deps;
    if (this.#relays.size >= this.#maxRelays && !this.#forgetOne()) return undefined;
    const race = { clock, dial, room: this.#attemptsBeside };
    const connect: PooledRelayDeps['connect'] = (relay, others, handlers, options) => {
      const dialFirst: DialStream = (to, streamHandlers) => new RacedStream(race, [to, ...others], streamHandlers);
      const deps = { clock, random, dial: dialFirst, ownKey, sharedKey: sharedKey(publicKey) };
      return new RelayClient(deps, relay, handlers, options);
    };
    const relay = new PooledRelay({ clock, random, connect }, publicKey, this.#relayHandlers());
    relay.addEndpoint(endpoint);
    this.#relays.set(publicKey.hex, relay);
    return relay;
  }

  #forgetOne(): boolean {
    for (const [key, relay] of this.#relays) {
      if (relay.isUsed || this.#candidates.has(relay)) continue;
      relay.close();
      return this.#relays.delete(key);
    }
    return false;
  }

  #relayHandlers(): PooledRelayHandlers {
    return {
      onConfirmed: (relay) => this.#onConfirmed(relay),
      onLost: (relay, reason) => this.#onLost(relay, reason),
      onRested: () => this.#fillHomes(),
      onPeerStatus: (_relay, peer) => {
        for (const link of this.#linksWith(peer)) link.noteStatus();
      },
      onData: (_relay, peer, packet) => {
        const [link] = this.#linksWith(peer);
        if (link !== undefined) this.#handlers.onPacket(packet, link.route);
      },
      onOob: (relay, sender, packet) => this.#onOob(relay, sender, packet),
      onOnion: (relay, packet) => this.#handlers.onOnion(packet, relay.node),
      onDrain: () => {
        for (const link of this.#allLinks()) link.noteDrain();
      },
    };
  }

  #onOob(relay: PooledRelay, sender: PublicKey, packet: Buffer): void {
    // The peer is connected to that relay, so that it can carry data as well.
    for (const link of this.#linksWith(sender)) link.tie(relay.node);
    this.#handlers.onPacket(packet, new RelayRoute(this, sender, relay.publicKey));
  }

  #onConfirmed(relay: PooledRelay): void {
    this.#log.debug(`${relay.publicKey.short} at ${relay.node.endpoint.key} answers`);
    this.#fillHomes();
    if (!relay.isHome) return;
    for (const link of this.#allLinks()) link.tie(relay.node);
    if (relay !== this.#own) this.#handlers.onHomeConnected();
  }

  #onLost(relay: PooledRelay, reason: string): void {
    if (this.#isStopped) return;
    this.#log.debug(`${relay.publicKey.short} at ${relay.node.endpoint.key} disconnected: ${reason}`);
    for (const link of this.#allLinks()) link.noteLost(relay, reason);
    this.#fillHomes();
  }

  /** Keeps three home relays: tries some more than are needed, and drops those that answer too late. */
  #fillHomes(): void {
    if (this.#isStopped) return;
    const candidates = [...this.#candidates].filter((relay) => relay !== this.#own);
    const homes = candidates.filter(({ isHome }) => isHome);
    const working = homes.filter(({ client }) => client !== undefined);
    if (working.length >= HOME_RELAYS) {
      for (const relay of homes) if (relay.client === undefined) relay.isHome = false;
      for (const relay of working.slice(HOME_RELAYS)) relay.isHome = false;
      return;
    }
    // A relay that rests after a failure gives its place to one that has not been tried.
    for (const relay of homes) if (relay.isResting && candidates.length > HOME_ATTEMPTS) relay.isHome = false;
    const rest = candidates.filter(({ isHome, isResting }) => !isHome && !isResting);
    let trying = candidates.filter(({ isHome }) => isHome).length;
    while (trying < HOME_ATTEMPTS && rest.length > 0) {
      const relay = pick(this.#deps.random, rest);
      rest.splice(rest.indexOf(relay), 1);
      relay.isHome = true;
      trying += 1;
    }
  }
}
