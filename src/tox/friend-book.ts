/** Our friends as the application has them, and those who ask to become some. */
import type { Clock } from '../base/clock.js';
import { Listeners } from '../base/listeners.js';
import type { PublicKey } from './crypto/keys.js';
import type { FriendList } from './friend/friend-list.js';
import type { OwnUdp } from './friend/relay-reason.js';
import { type Friend, MessengerFriend } from './messenger.js';

export interface FriendRequest {
  readonly publicKey: PublicKey;
  readonly message: Buffer;
  /** By which it came through the onion: one of our first hops, or all other sources. A flood takes one, or a few. */
  readonly way: string;
  /** Makes the sender a friend. */
  accept(): Friend;
}

/** What a friend needs of the stack that it belongs to. */
export interface FriendsStack {
  readonly friends: Pick<FriendList, 'add' | 'remove'>;
  readonly ownUdp: OwnUdp;
  readonly hasNetwork: boolean;
}

export interface FriendBookDeps {
  readonly clock: Clock;
  readonly ownKey: PublicKey;
  /** @throws Error when none runs */
  readonly stack: () => FriendsStack;
}

export class FriendBook {
  readonly #deps: FriendBookDeps;
  /** By the hex of their keys. */
  readonly #friends = new Map<string, MessengerFriend>();
  readonly #requests = new Listeners<[request: FriendRequest]>();

  constructor(deps: FriendBookDeps) {
    this.#deps = deps;
  }

  onRequest(listener: (request: FriendRequest) => void): void {
    this.#requests.add(listener);
  }

  /**
   * @param request onion data that asks the friend to take us; undefined for one who knows us
   * @throws RangeError when the key is ours or a friend's already
   */
  add(publicKey: PublicKey, request: Buffer | undefined): Friend {
    const { clock, ownKey } = this.#deps;
    if (publicKey.equals(ownKey)) throw new RangeError('Tox: that is our own key');
    const stack = this.#deps.stack();
    // Whoever asks waits for the friend; whoever was asked has many friends, and those come by themselves.
    const persistence = request === undefined ? 'patient' : 'eager';
    const friend = new MessengerFriend(
      {
        clock,
        connect: (handlers) => stack.friends.add(publicKey, handlers, persistence),
        ownNetwork: () => stack,
      },
      { publicKey, request },
    );
    this.#friends.set(publicKey.hex, friend);
    return friend;
  }

  remove(friend: Friend): void {
    const key = friend.publicKey.hex;
    const known = this.#friends.get(key);
    // It may be gone already, and somebody new have its key.
    if (known === undefined || known !== friend) return;
    this.#friends.delete(key);
    known.leave();
    this.#deps.stack().friends.remove(friend.publicKey);
  }

  /** Somebody asks us; once is enough, however often it is accepted. */
  offer(publicKey: PublicKey, message: Buffer, way: string): void {
    const accept = (): Friend => this.#friends.get(publicKey.hex) ?? this.add(publicKey, undefined);
    this.#requests.tell({ publicKey, message, way, accept });
  }

  /** Good-bye to all. */
  close(): void {
    for (const friend of this.#friends.values()) friend.leave();
    this.#friends.clear();
  }
}
