/** The discovery of a friend that is away: searches for it in the onion, announces our DHT key to it, and knows its state. */
import type { Clock } from '../../base/clock.js';
import { Repeater } from '../../base/repeater.js';
import type { FriendSearch, FriendSearchHandlers } from '../onion/friend-search.js';

/**
 * Gaps between our DHT key announcements while the friend is away. c-toxcore drops those that come before
 * it knows us as a friend, 50 ms or 100 ms after the friend request: hence the short gaps at the start.
 */
const ANNOUNCE_GAPS = [60, 90, 150, 300, 400, 500, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/** How far the search for a friend has come that is not connected; `since` in ms of the clock. */
export type DiscoveryState =
  | { readonly kind: 'sought' }
  /** Nodes store it, as they do for up to five minutes after it stopped (onion announcements live for 300 s). */
  | { readonly kind: 'found'; readonly since: number }
  /** It has announced its DHT key to us, or shaken hands: it knows us. */
  | { readonly kind: 'answering'; readonly since: number };

export interface FriendDiscoveryDeps {
  readonly clock: Clock;
  /** Opens the search for the friend in the onion. */
  readonly search: (handlers: FriendSearchHandlers) => FriendSearch;
  /** Our current announcement, as bytes of onion data. */
  readonly announcement: () => Buffer;
  /** Sends it through the DHT as well, once the friend's DHT key is known. */
  readonly sendByDht: (announcement: Buffer) => void;
  /** A node was found that stores the friend. @param send sends onion data through it */
  readonly onReachable: (send: (data: Buffer) => void) => void;
}

export class FriendDiscovery {
  readonly #deps: FriendDiscoveryDeps;
  readonly #search: FriendSearch;
  readonly #announcer: Repeater;
  #standing: DiscoveryState = { kind: 'sought' };

  constructor(deps: FriendDiscoveryDeps) {
    this.#deps = deps;
    this.#announcer = new Repeater(deps.clock, ANNOUNCE_GAPS, () => this.announce());
    this.#search = deps.search({ onFound: (stored) => this.#onStored(stored.send) });
  }

  get standing(): DiscoveryState {
    const isForgotten = this.#standing.kind === 'found' && this.#search.storedNodes === 0;
    return isForgotten ? { kind: 'sought' } : this.#standing;
  }

  /** The friend has answered, so it knows us. */
  noteAnswer(): void {
    this.#standing = { kind: 'answering', since: this.#deps.clock.now() };
  }

  /** The friend's answer led to no connection, or the connection has ended. */
  noteLost(): void {
    this.#standing = { kind: 'sought' };
  }

  /** Starts again, when the friend is away or may be. */
  resume(): void {
    this.#search.resume();
    this.#announcer.start();
  }

  /** Stops while the friend is connected. */
  pause(): void {
    this.#search.pause();
    this.#announcer.stop();
  }

  /** Searches again, as quickly as at first; does nothing while it is paused. */
  restart(): void {
    this.#search.hurry();
    if (this.#announcer.isRunning) this.hurryAnnouncements();
  }

  /** Announces again, as quickly as at first. */
  hurryAnnouncements(): void {
    this.#announcer.stop();
    this.#announcer.start();
  }

  /** Sends our announcement to the friend, through the onion and the DHT. */
  announce(): void {
    const announcement = this.#deps.announcement();
    this.#search.send(announcement);
    this.#deps.sendByDht(announcement);
  }

  /** Sends through the onion, to every node that stores the friend. @returns how many */
  send(data: Buffer): number {
    return this.#search.send(data);
  }

  close(): void {
    this.#announcer.stop();
    this.#search.close();
  }

  #onStored(send: (data: Buffer) => void): void {
    // The first node that stores the friend, or the first again after all had forgotten it.
    const isNew = this.#standing.kind === 'sought' || this.#search.storedNodes === 1;
    if (isNew && this.#standing.kind !== 'answering') this.#standing = { kind: 'found', since: this.#deps.clock.now() };
    this.#deps.onReachable(send);
    send(this.#deps.announcement());
    this.#announcer.start();
  }
}
