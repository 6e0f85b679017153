/**
 * The friends of the application (spec: "Messenger"): online or not, each with an ordered stream of custom packets, and friend
 * requests of others. A tunnel needs two of the messenger's own packets: ONLINE, before which c-toxcore drops everything, and
 * OFFLINE.
 */
import type { Clock } from '../base/clock.js';
import { Listeners } from '../base/listeners.js';
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
import type { CryptoConnection } from './net-crypto/crypto-connection.js';
import { OwnRequest, type Requests } from './own-request.js';
import { isCustomLossless, isCustomLossy, ONLINE_PACKET } from './packet/friend.js';
import { FriendKind } from './packet/kind.js';
import { SAFE_CRYPTO_DATA_SIZE } from './packet/net-crypto.js';

const OFFLINE_REASON = 'the friend went offline';

/** A friend as the application sees it. */
export type Friend = Omit<MessengerFriend, 'leave'>;

/**
 * 'writable': lossless packets can be sent, a round trip before the friend is online if it has begun the handshake. The friend takes them,
 * since our ONLINE goes before them. 'online': its ONLINE has arrived. 'offline' follows either.
 */
export type Presence = 'writable' | 'online' | 'offline';

/** A friend whom we have asked, whose request we have accepted, or both. */
export type FriendSide = 'asked' | 'accepted';

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
  /** What we ask each of them, if anything. */
  readonly #ownRequests = new WeakMap<MessengerFriend, OwnRequest>();
  /** Those who have asked us, or know us otherwise. */
  readonly #accepted = new WeakSet<MessengerFriend>();
  readonly #requests = new Listeners<[request: FriendRequest]>();
  readonly #networkChanges = new Listeners<[]>();

  constructor(deps: MessengerDeps) {
    this.#deps = deps;
  }

  onRequest(listener: (request: FriendRequest) => void): void {
    this.#requests.add(listener);
  }

  /**
   * @param requests ask the friend to add us; undefined for a friend that knows us
   * @throws RangeError when the key is ours, or that of a friend whom we have asked
   */
  add(publicKey: PublicKey, requests: Requests | undefined): Friend {
    const { clock, ownKey } = this.#deps;
    if (publicKey.equals(ownKey)) throw new RangeError('Tox: that is our own key');
    const known = this.#friends.get(publicKey.hex);
    if (known !== undefined && requests !== undefined && !this.#hasAsked(known)) {
      this.#ownRequests.get(known)?.ask(requests);
      return known;
    }
    const stack = this.#deps.stack();
    // A client waits for its server; a server has many clients, which search for it themselves.
    const persistence = requests === undefined ? 'patient' : 'eager';
    const ownRequest = new OwnRequest(clock, requests);
    const friend = new MessengerFriend(
      {
        clock,
        connect: (handlers) => stack.friends.add(publicKey, handlers, persistence),
        ownNetwork: stack,
        onNetworkChange: (listener) => this.#networkChanges.add(listener),
      },
      { publicKey, request: ownRequest },
    );
    this.#ownRequests.set(friend, ownRequest);
    if (requests === undefined) this.#accepted.add(friend);
    this.#friends.set(publicKey.hex, friend);
    return friend;
  }

  /** @param side who does not need the friend any more; the other one may keep it. Default: nobody needs it */
  remove(friend: Friend, side?: FriendSide): void {
    const key = friend.publicKey.hex;
    const known = this.#friends.get(key);
    // The friend may have been removed before, and another one have its key.
    if (known === undefined || known !== friend) return;
    if (side === 'accepted') this.#accepted.delete(known);
    else if (side === 'asked') this.#ownRequests.get(known)?.withdraw();
    if (side !== undefined && (this.#accepted.has(known) || this.#hasAsked(known))) return;
    this.#friends.delete(key);
    known.leave();
    this.#deps.stack().friends.remove(friend.publicKey);
  }

  #hasAsked(friend: MessengerFriend): boolean {
    return this.#ownRequests.get(friend)?.isWanted === true;
  }

  /** A friend request has arrived; accepting copies of it makes one friend, also of one whom we have asked. */
  offer(publicKey: PublicKey, message: Buffer, source: string): void {
    const before = this.#friends.get(publicKey.hex);
    // It does not know yet that it was accepted.
    if (before !== undefined && this.#accepted.has(before)) return;
    const accept = (): Friend => {
      const known = this.#friends.get(publicKey.hex);
      if (known !== undefined) this.#accepted.add(known);
      return known ?? this.add(publicKey, undefined);
    };
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
  readonly #request: OwnRequest;
  readonly #presences = new Listeners<[presence: Presence, reason: string]>();
  readonly #packets = new Listeners<[packet: Buffer]>();
  readonly #lossyPackets = new Listeners<[packet: Buffer]>();
  readonly #drains = new Listeners<[]>();
  readonly #progress = new Listeners<[]>();
  readonly #ignoreNetwork: () => void;
  /** Of all connections; it takes everything when it is closed. */
  #latest: CryptoConnection | undefined;
  /** Whether our ONLINE goes before what is sent now, and whether the friend's has arrived. */
  #isWritable = false;
  #isOnline = false;

  constructor(deps: FriendDeps, { publicKey, request }: { publicKey: PublicKey; request: OwnRequest }) {
    this.publicKey = publicKey;
    this.#deps = deps;
    this.#request = request;
    const onProgress = (): void => this.#progress.tell();
    this.#ignoreNetwork = deps.onNetworkChange(onProgress);
    this.#connection = deps.connect({
      onConnecting: (connection) => {
        this.#latest = connection;
        connection.sendLossless(ONLINE_PACKET, { isUrgent: true });
        this.#request.onConnecting((data) => void connection.sendLossless(data));
      },
      onKeys: () => {
        this.#isWritable = true;
        this.#presences.tell('writable', '');
      },
      onEstablished: () => this.#request.stop(),
      onLost: (reason) => this.#setOffline(reason),
      onLossless: (data) => this.#onLossless(data),
      onLossy: (data) => {
        if (this.#isOnline && isCustomLossy(data)) this.#lossyPackets.tell(data);
      },
      onDrain: () => {
        if (this.#isWritable) this.#drains.tell();
      },
      onReachable: (send) => this.#request.onReachable(send),
      onProgress,
    });
    request.attach({
      throughOnion: (data) => this.#connection.discovery.send(data),
      overConnection: (data) => void this.#latest?.sendLossless(data),
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
    this.#request.restart();
  }

  /** How the friend is reached, and since when; cheaper than all facts. */
  get path(): ConnectionPath {
    return connectionPath(this.#connection, this.#deps.ownNetwork, this.#deps.clock.now());
  }

  get facts(): ConnectionFacts {
    return connectionFacts(this.#connection, this.#deps.ownNetwork, this.#deps.clock.now());
  }

  /**
   * Sends a custom packet (first byte 160 to 191, at most 1445 bytes, 1373 to c-toxcore), or returns false: the friend is neither online
   * nor about to be ('writable'), or there is no room, in which case `onDrain` follows.
   */
  sendLossless(packet: Buffer): boolean {
    if (!isCustomLossless(packet)) throw new RangeError('custom lossless packets begin with 160 to 191');
    return this.#isWritable && (this.#connection.writable?.sendLossless(packet) ?? false);
  }

  /**
   * Sends a custom packet (first byte 200 to 254, at most 1445 bytes, 1373 to c-toxcore) that may be lost and overtaken.
   * @returns false if it is lost here: the friend is not online, or there is no room
   */
  sendLossy(packet: Buffer): boolean {
    if (!isCustomLossy(packet)) throw new RangeError('custom lossy packets begin with 200 to 254');
    return this.#isOnline && (this.#connection.connection?.sendLossy(packet) ?? false);
  }

  /** The most bytes of a packet that fits into one datagram; it changes with the path and the peer, up to 1445. */
  get packetSize(): number {
    return this.#connection.connection?.packetSize ?? SAFE_CRYPTO_DATA_SIZE;
  }

  /** ms since the last packet of the session, of any kind; Infinity without one. */
  get silence(): number {
    return this.#deps.clock.now() - (this.#connection.connection?.lastReceivedAt ?? Number.NEGATIVE_INFINITY);
  }

  /** @param listener called with each change; `reason` says why the friend is offline */
  onPresence(listener: (presence: Presence, reason: string) => void): void {
    this.#presences.add(listener);
  }

  onLossless(listener: (packet: Buffer) => void): void {
    this.#packets.add(listener);
  }

  onLossy(listener: (packet: Buffer) => void): void {
    this.#lossyPackets.add(listener);
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
    this.#request.stop();
    this.#setOffline('closed');
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
    this.#isWritable = true;
    this.#presences.tell('online', '');
  }

  #setOffline(reason: string): void {
    if (!this.#isWritable) return;
    this.#isWritable = false;
    this.#isOnline = false;
    this.#presences.tell('offline', reason);
  }
}
