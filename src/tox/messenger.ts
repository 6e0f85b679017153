/**
 * The friends of the application (spec: "Messenger"): online or not, each with an ordered stream of custom packets, and friend
 * requests of others. A tunnel needs two of the messenger's own packets: ONLINE, before which c-toxcore drops everything, and
 * OFFLINE.
 */
import type { Clock } from '../base/clock.js';
import { Listeners } from '../base/listeners.js';
import { Repeater } from '../base/repeater.js';
import {
  type ConnectionFacts,
  type ConnectionPath,
  type ConnectionStage,
  connectionFacts,
  connectionPath,
  connectionStage,
  type OwnNetwork,
} from './connection-facts.js';
import type { PublicKey } from './crypto/keys.js';
import type { FriendConnection, FriendConnectionHandlers } from './friend/friend-connection.js';
import type { DiscoveryState } from './friend/friend-discovery.js';
import type { FriendList } from './friend/friend-list.js';
import { isCustomLossless, ONLINE_PACKET } from './packet/friend.js';
import { FriendKind } from './packet/kind.js';
import { SAFE_CRYPTO_DATA_SIZE } from './packet/net-crypto.js';

/** ms between friend requests; the first one is sent as soon as a node stores the friend. */
const REQUEST_GAPS = [500, 700, 1_000, 1_500, 2_500, 4_000, 6_000, 10_000, 20_000, 40_000];

const OFFLINE_REASON = 'the friend went offline';

/** A friend as the application sees it. */
export type Friend = Omit<MessengerFriend, 'leave'>;

export interface FriendRequest {
  readonly publicKey: PublicKey;
  readonly message: Buffer;
  /**
   * From where it came through the onion: one of our first hops (`192.0.2.1:33445`, or `relay` and its key in hex), or all `others`.
   * A flood comes from one, or a few.
   */
  readonly source: string;
  /** Makes the sender a friend. */
  accept(): Friend;
}

export interface MessengerDeps {
  readonly clock: Clock;
  readonly ownKey: PublicKey;
  /** Returns the running stack. @throws Error when none runs */
  readonly stack: () => OwnNetwork & { readonly friends: Pick<FriendList, 'add' | 'remove'> };
}

export class Messenger {
  readonly #deps: MessengerDeps;
  /** The friends by the hex of their keys. */
  readonly #friends = new Map<string, MessengerFriend>();
  readonly #requests = new Listeners<[request: FriendRequest]>();
  readonly #networkChanges = new Listeners<[]>();

  constructor(deps: MessengerDeps) {
    this.#deps = deps;
  }

  onRequest(listener: (request: FriendRequest) => void): void {
    this.#requests.add(listener);
  }

  /**
   * @param request onion data that asks the friend to add us; undefined for a friend that knows us
   * @throws RangeError when the key is ours or a friend's already
   */
  add(publicKey: PublicKey, request: Buffer | undefined): Friend {
    const { clock, ownKey } = this.#deps;
    if (publicKey.equals(ownKey)) throw new RangeError('Tox: that is our own key');
    const stack = this.#deps.stack();
    // A client waits for its server; a server has many clients, which search for it themselves.
    const persistence = request === undefined ? 'patient' : 'eager';
    const friend = new MessengerFriend(
      {
        clock,
        connect: (handlers) => stack.friends.add(publicKey, handlers, persistence),
        ownNetwork: stack,
        onNetworkChange: (listener) => this.#networkChanges.add(listener),
      },
      { publicKey, request },
    );
    this.#friends.set(publicKey.hex, friend);
    return friend;
  }

  remove(friend: Friend): void {
    const key = friend.publicKey.hex;
    const known = this.#friends.get(key);
    // The friend may have been removed before, and another one have its key.
    if (known === undefined || known !== friend) return;
    this.#friends.delete(key);
    known.leave();
    this.#deps.stack().friends.remove(friend.publicKey);
  }

  /** A friend request has arrived; accepting copies of it makes one friend. */
  offer(publicKey: PublicKey, message: Buffer, source: string): void {
    const accept = (): Friend => this.#friends.get(publicKey.hex) ?? this.add(publicKey, undefined);
    this.#requests.tell({ publicKey, message, source, accept });
  }

  /** Nodes or relays answer, or do not any more. */
  noteNetworkChange(): void {
    this.#networkChanges.tell();
  }

  /** Reports all friends as offline and forgets them. */
  close(): void {
    for (const friend of this.#friends.values()) friend.leave();
    this.#friends.clear();
  }
}

interface FriendDeps {
  readonly clock: Clock;
  /** Joins the friend list. */
  readonly connect: (handlers: FriendConnectionHandlers) => FriendConnection;
  readonly ownNetwork: OwnNetwork;
  /** Calls back when `ownNetwork` has changed. @returns removes the listener */
  readonly onNetworkChange: (listener: () => void) => () => void;
}

class MessengerFriend {
  readonly publicKey: PublicKey;
  readonly #deps: FriendDeps;
  readonly #connection: FriendConnection;
  readonly #request: Buffer | undefined;
  readonly #requests: Repeater | undefined;
  readonly #onlines = new Listeners<[]>();
  readonly #offlines = new Listeners<[reason: string]>();
  readonly #packets = new Listeners<[packet: Buffer]>();
  readonly #drains = new Listeners<[]>();
  readonly #progress = new Listeners<[]>();
  readonly #ignoreNetwork: () => void;
  #isOnline = false;

  constructor(deps: FriendDeps, options: { readonly publicKey: PublicKey; readonly request: Buffer | undefined }) {
    this.publicKey = options.publicKey;
    this.#deps = deps;
    this.#request = options.request;
    const { request } = options;
    if (request !== undefined) {
      this.#requests = new Repeater(deps.clock, REQUEST_GAPS, () => this.#repeatRequest(request));
    }
    const onProgress = (): void => this.#progress.tell();
    this.#ignoreNetwork = deps.onNetworkChange(onProgress);
    this.#connection = deps.connect({
      onConnecting: (connection) => connection.sendLossless(ONLINE_PACKET, { isUrgent: true }),
      onEstablished: () => this.#requests?.stop(),
      onLost: (reason) => this.#setOffline(reason),
      onLossless: (data) => this.#onLossless(data),
      onDrain: () => {
        if (this.#isOnline) this.#drains.tell();
      },
      onReachable: (send) => this.#onReachable(send),
      onProgress,
    });
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** The state of the search for the friend; meaningful while it is not online. */
  get standing(): DiscoveryState {
    return this.#connection.discovery.standing;
  }

  /** How far we are on the way to the friend; undefined while it is connected. */
  get stage(): ConnectionStage | undefined {
    return connectionStage(this.#connection, this.#deps.ownNetwork);
  }

  /** Searches again, as quickly as at first; does nothing while the friend is online. */
  seek(): void {
    if (this.#isOnline) return;
    this.#connection.discovery.restart();
    if (!this.#requests?.isRunning) return;
    this.#requests.stop();
    this.#requests.start();
  }

  /** How the friend is reached, and since when; cheaper than all facts. */
  get path(): ConnectionPath {
    return connectionPath(this.#connection, this.#deps.ownNetwork, this.#deps.clock.now());
  }

  get facts(): ConnectionFacts {
    return connectionFacts(this.#connection, this.#deps.ownNetwork, this.#deps.clock.now());
  }

  /**
   * Sends a custom packet (first byte 160 to 191, at most 1373 bytes), or returns false: the friend is not online, or there is no room,
   * in which case `onDrain` follows. The buffer must not change afterwards.
   */
  sendLossless(packet: Buffer): boolean {
    if (!isCustomLossless(packet)) throw new RangeError('custom lossless packets begin with 160 to 191');
    return this.#isOnline && (this.#connection.connection?.sendLossless(packet) ?? false);
  }

  /** The most bytes of a packet that fits into one datagram; it changes with the path, up to 1373. */
  get packetSize(): number {
    return this.#connection.connection?.packetSize ?? SAFE_CRYPTO_DATA_SIZE;
  }

  onOnline(listener: () => void): void {
    this.#onlines.add(listener);
  }

  onOffline(listener: (reason: string) => void): void {
    this.#offlines.add(listener);
  }

  onLossless(listener: (packet: Buffer) => void): void {
    this.#packets.add(listener);
  }

  onDrain(listener: () => void): void {
    this.#drains.add(listener);
  }

  /** Calls back when `stage` or `path` may have changed. */
  onProgress(listener: () => void): void {
    this.#progress.add(listener);
  }

  /** Goes offline. The friend list ends the connection, which notifies the friend: an OFFLINE packet would not arrive before it. */
  leave(): void {
    this.#ignoreNetwork();
    this.#requests?.stop();
    this.#setOffline('closed');
  }

  #onReachable(send: (data: Buffer) => void): void {
    if (this.#request === undefined) return;
    send(this.#request);
    this.#requests?.start();
  }

  /** Stops when no node stores the friend any more; `onReachable` starts the requests again. */
  #repeatRequest(request: Buffer): void {
    if (this.#connection.discovery.send(request) === 0) this.#requests?.stop();
  }

  #onLossless(data: Buffer): void {
    if (isCustomLossless(data)) {
      if (this.#isOnline) this.#packets.tell(data);
    } else if (data.length === 1 && data[0] === FriendKind.Online) {
      this.#setOnline();
    } else if (data.length === 1 && data[0] === FriendKind.Offline) {
      this.#connection.record.setError(OFFLINE_REASON);
      this.#setOffline(OFFLINE_REASON);
    }
  }

  #setOnline(): void {
    // c-toxcore sends ONLINE twice: when the connection is established, and when it receives ours.
    if (this.#isOnline) return;
    this.#isOnline = true;
    this.#onlines.tell();
  }

  #setOffline(reason: string): void {
    if (!this.#isOnline) return;
    this.#isOnline = false;
    this.#offlines.tell(reason);
  }
}
