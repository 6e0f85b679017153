/**
 * One relay that we know of, and the connection to it while somebody wants it: as one of our home relays, or for peers
 * that are tied to it. A connection that breaks is made again at once, then ever more slowly, at its next address.
 */
import { Backoff } from '../../base/backoff.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { PeerStatus } from './client-slots.js';
import type { RelayClient, RelayClientHandlers, RelayClientOptions } from './relay-client.js';

/** Specification (TCP_CONNECTION_ANNOUNCE_TIMEOUT): ms that a relay is kept when nobody wants it any more. */
const UNUSED_TIMEOUT = 10_000;
/** Ports and address families of one relay. */
const MAX_ENDPOINTS = 8;
/** A connection that lasted so many ms is made again at once when it breaks. */
const LASTING = 10_000;
/** Ms between attempts at a relay that does not answer, or soon ends what it began. */
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 60_000;

/** A peer that wants to be met at relays. */
export interface RelayUser {
  readonly peer: PublicKey;
  /** False while the peer is reached directly: the relay is kept in mind, and nothing more. */
  readonly isAwake: boolean;
}

export interface PooledRelayDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** @param others further addresses, tried while the first one does not answer */
  connect(
    relay: NodeInfo,
    others: readonly Endpoint[],
    handlers: RelayClientHandlers,
    options: RelayClientOptions,
  ): RelayClient;
}

export interface PooledRelayHandlers {
  onConfirmed(relay: PooledRelay): void;
  /** The connection ended, or did not come to stand. */
  onLost(relay: PooledRelay, reason: string): void;
  /** After a failure it may be tried again. */
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
  /** The one to be tried next is the first. */
  #endpoints: Endpoint[] = [];
  #client: RelayClient | undefined;
  /** The first attempt, made once all addresses that are named in this turn are known. */
  #beginning: Timer | undefined;
  #retry: Timer | undefined;
  #unused: Timer | undefined;
  #isHome = false;
  /** Where it answered last. */
  #provenKey: string | undefined;
  /** When the present connection came to stand, if it did. */
  #confirmedAt: number | undefined;
  #failures = 0;
  #flowBound: number | undefined;

  constructor(deps: PooledRelayDeps, publicKey: PublicKey, handlers: PooledRelayHandlers) {
    this.#deps = deps;
    this.publicKey = publicKey;
    this.#handlers = handlers;
    this.#retries = new Backoff(deps.random, { first: FIRST_RETRY, most: LONGEST_RETRY });
  }

  /** Where it is connected, or will be tried next. */
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

  /** Whether it failed, and the time for the next attempt has not come. */
  get isResting(): boolean {
    return this.#retry !== undefined;
  }

  /** Attempts in a row that failed. */
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

  /** It may be reached there, too; at once, when it was not elsewhere. */
  addEndpoint(endpoint: Endpoint): void {
    if (this.#endpoints.some((known) => known.equals(endpoint))) return;
    if (this.#endpoints.length >= MAX_ENDPOINTS) this.#forgetHearsay();
    if (this.#retry === undefined) {
      this.#endpoints.push(endpoint);
      return;
    }
    this.#endpoints.unshift(endpoint);
    this.#retry.cancel();
    this.#retry = undefined;
    this.update();
  }

  /** Anybody may name addresses: where it has answered stays known, of the others the oldest goes. */
  #forgetHearsay(): void {
    // Not the first one, which may just be tried.
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

  /** Opens the connection when it is wanted, closes it when it has not been for a while. */
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

  /** We slept, or the network has changed: what rests is tried at once, and what seems to live has to show it. */
  refresh(): void {
    this.#client?.doubt();
    this.#retries.reset();
    if (this.#retry === undefined) return;
    this.#retry.cancel();
    this.#retry = undefined;
    this.update();
  }

  /** Until it is wanted anew. */
  close(): void {
    for (const timer of [this.#unused, this.#retry, this.#beginning]) timer?.cancel();
    this.#unused = undefined;
    this.#retry = undefined;
    this.#beginning = undefined;
    const client = this.#client;
    this.#client = undefined;
    this.#confirmedAt = undefined;
    client?.close();
    if (client !== undefined) this.#handlers.onLost(this, 'not needed any more');
  }

  #connect(): void {
    this.#beginning = undefined;
    const [endpoint, ...others] = this.#endpoints;
    if (endpoint === undefined) return;
    const client = this.#deps.connect(
      { publicKey: this.publicKey, endpoint },
      // After a failure each has its turn alone: somebody else may be quick to connect where strangers said that it is.
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

  /** @param lowerBound when the relay has stalled: then it gets less at a time, and from now on */
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
    // The addresses that are left get their turn without waiting.
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
