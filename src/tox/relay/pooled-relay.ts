/**
 * One relay that we know of, and the connection to it while it is used: as one of our home relays, or for peers that are tied to
 * it. A connection that breaks is made again at once, then more and more slowly, at the relay's next address.
 */
import { Backoff } from '../../base/backoff.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { PeerStatus } from './client-slots.js';
import type { RelayClient, RelayClientHandlers, RelayClientOptions } from './relay-client.js';

/** Specification (TCP_CONNECTION_ANNOUNCE_TIMEOUT): ms until an unused connection is closed. */
const UNUSED_TIMEOUT = 10_000;
/** Addresses of one relay: its ports and address families. */
const MAX_ENDPOINTS = 8;
/** ms. A connection that lasted so long is made again at once when it breaks. */
const LASTING = 10_000;
/** ms between attempts at a relay that does not answer, or whose connections end early. */
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 60_000;

/** A peer that may be reached over relays. */
export interface RelayUser {
  readonly peer: PublicKey;
  /** False while the peer is reached directly and needs no connection to the relay. */
  readonly isAwake: boolean;
}

export interface PooledRelayDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Connects to the relay. @param others further addresses, tried while the first one does not answer */
  connect(
    relay: NodeInfo,
    others: readonly Endpoint[],
    handlers: RelayClientHandlers,
    options: RelayClientOptions,
  ): RelayClient;
}

export interface PooledRelayHandlers {
  onConfirmed(relay: PooledRelay): void;
  /** The connection has ended, or an attempt has failed. */
  onLost(relay: PooledRelay, reason: string): void;
  /** The relay has rested after a failed attempt and may be tried again. */
  onRested(relay: PooledRelay): void;
  onPeerStatus(relay: PooledRelay, peer: PublicKey, status: PeerStatus): void;
  onData(relay: PooledRelay, peer: PublicKey, packet: Buffer): void;
  onOob(relay: PooledRelay, sender: PublicKey, packet: Buffer): void;
  onOnion(relay: PooledRelay, packet: Buffer): void;
  onDrain(relay: PooledRelay): void;
}

export class PooledRelay {
  readonly publicKey: PublicKey;
  readonly #deps: PooledRelayDeps;
  readonly #handlers: PooledRelayHandlers;
  readonly #retries: Backoff;
  readonly #users = new Set<RelayUser>();
  /** The first one is tried next. */
  #endpoints: Endpoint[] = [];
  #client: RelayClient | undefined;
  /** The first attempt, made when all addresses that are named in this tick are known. */
  #beginning: Timer | undefined;
  #retry: Timer | undefined;
  #unused: Timer | undefined;
  #isHome = false;
  /** The address where the relay answered last. */
  #provenKey: string | undefined;
  /** When the relay answered on the present connection; undefined until then. */
  #confirmedAt: number | undefined;
  #failures = 0;
  #flowBound: number | undefined;

  constructor(deps: PooledRelayDeps, publicKey: PublicKey, handlers: PooledRelayHandlers) {
    this.#deps = deps;
    this.publicKey = publicKey;
    this.#handlers = handlers;
    this.#retries = new Backoff(deps.random, { first: FIRST_RETRY, most: LONGEST_RETRY });
  }

  /** The relay, with the address where it is connected or will be tried next. */
  get node(): NodeInfo {
    return this.#client?.relay ?? { publicKey: this.publicKey, endpoint: this.#endpoints[0] as Endpoint };
  }

  /** The connection, once the relay has answered. */
  get client(): RelayClient | undefined {
    return this.#client?.isConfirmed ? this.#client : undefined;
  }

  get isConnecting(): boolean {
    return this.#beginning !== undefined || (this.#client !== undefined && !this.#client.isConfirmed);
  }

  /** Whether an attempt failed, and the next one is not due yet. */
  get isResting(): boolean {
    return this.#retry !== undefined;
  }

  /** How many attempts in a row have failed. */
  get failures(): number {
    return this.#failures;
  }

  get isUsed(): boolean {
    return this.#isHome || this.#users.size > 0;
  }

  get isHome(): boolean {
    return this.#isHome;
  }

  set isHome(isHome: boolean) {
    this.#isHome = isHome;
    this.update();
  }

  /** Adds an address of the relay, which is tried at once if the others have failed. */
  addEndpoint(endpoint: Endpoint): void {
    if (this.#endpoints.some((known) => known.equals(endpoint))) return;
    if (this.#endpoints.length >= MAX_ENDPOINTS) this.#forgetUnproven();
    if (this.#retry === undefined) {
      this.#endpoints.push(endpoint);
      return;
    }
    this.#endpoints.unshift(endpoint);
    this.#retry.cancel();
    this.#retry = undefined;
    this.update();
  }

  /** Forgets the oldest address where the relay has not answered; any peer can name addresses. */
  #forgetUnproven(): void {
    // The first one may be in use.
    const at = this.#endpoints.findIndex(({ key }, index) => index > 0 && key !== this.#provenKey);
    this.#endpoints.splice(at, 1);
  }

  tie(user: RelayUser): void {
    this.#users.add(user);
    this.#client?.ask(user.peer);
    this.update();
  }

  untie(user: RelayUser): void {
    this.#users.delete(user);
    if (![...this.#users].some(({ peer }) => peer.equals(user.peer))) this.#client?.release(user.peer);
    this.update();
  }

  /** Opens the connection when it is wanted, and closes it when it has not been wanted for a while. */
  update(): void {
    const isWanted = this.#isHome || [...this.#users].some(({ isAwake }) => isAwake);
    if (isWanted) {
      this.#unused?.cancel();
      this.#unused = undefined;
      if (this.#client !== undefined || this.#retry !== undefined) return;
      this.#beginning ??= this.#deps.clock.soon(() => this.#connect());
      return;
    }
    this.#beginning?.cancel();
    this.#beginning = undefined;
    if (this.#client !== undefined) {
      this.#unused ??= this.#deps.clock.after(UNUSED_TIMEOUT, () => this.close());
    }
  }

  /** We slept, or the network has changed: checks the connection, or makes the next attempt at once. */
  refresh(): void {
    this.#client?.check();
    this.#retries.reset();
    if (this.#retry === undefined) return;
    this.#retry.cancel();
    this.#retry = undefined;
    this.update();
  }

  /** Closes the connection until it is wanted again. */
  close(): void {
    for (const timer of [this.#unused, this.#retry, this.#beginning]) timer?.cancel();
    this.#unused = undefined;
    this.#retry = undefined;
    this.#beginning = undefined;
    const client = this.#client;
    this.#client = undefined;
    this.#confirmedAt = undefined;
    client?.close();
    if (client !== undefined) this.#handlers.onLost(this, 'not used any more');
  }

  #connect(): void {
    this.#beginning = undefined;
    const [endpoint, ...others] = this.#endpoints;
    if (endpoint === undefined) return;
    const client = this.#deps.connect(
      { publicKey: this.publicKey, endpoint },
      // After a failure each is tried alone: another host may answer first at an address that a stranger named.
      this.#failures === 0 ? others : [],
      {
        onConfirmed: () => {
          this.#confirmedAt = this.#deps.clock.now();
          this.#useFirst(client.relay.endpoint);
          this.#failures = 0;
          this.#handlers.onConfirmed(this);
        },
        onPeerStatus: (peer, status) => this.#handlers.onPeerStatus(this, peer, status),
        onData: (peer, packet) => this.#handlers.onData(this, peer, packet),
        onOob: (sender, packet) => this.#handlers.onOob(this, sender, packet),
        onOnion: (packet) => this.#handlers.onOnion(this, packet),
        onDrain: () => this.#handlers.onDrain(this),
        onClosed: (reason) => this.#onClosed(reason, client.lowerBound),
      },
      { flowBound: this.#flowBound },
    );
    this.#client = client;
    for (const { peer } of this.#users) client.ask(peer);
  }

  #useFirst(endpoint: Endpoint): void {
    this.#provenKey = endpoint.key;
    this.#endpoints = [endpoint, ...this.#endpoints.filter((other) => !other.equals(endpoint))];
  }

  /** @param lowerBound set when the relay has stalled: the bound of its next connections */
  #onClosed(reason: string, lowerBound: number | undefined): void {
    const { clock } = this.#deps;
    const isLasting = this.#confirmedAt !== undefined && clock.now() - this.#confirmedAt >= LASTING;
    if (isLasting) this.#retries.reset();
    if (this.#confirmedAt === undefined) {
      this.#failures += 1;
      this.#endpoints.push(...this.#endpoints.splice(0, 1));
    }
    this.#confirmedAt = undefined;
    this.#client = undefined;
    // Addresses that were not tried yet are tried without waiting.
    const hasStalled = lowerBound !== undefined;
    if (hasStalled) this.#flowBound = lowerBound;
    const isAtOnce = isLasting || hasStalled || this.#failures % this.#endpoints.length !== 0;
    this.#retry = clock.after(isAtOnce ? 0 : this.#retries.next(), () => {
      this.#retry = undefined;
      this.update();
      this.#handlers.onRested(this);
    });
    this.#handlers.onLost(this, reason);
  }
}
