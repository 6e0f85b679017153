/** What the engine needs of the Tox stack; tests pass their own. */
import type { ConnectionFacts, ConnectionPath } from '../../tox/connection-facts.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { ToxId } from '../../tox/crypto/tox-id.js';
import type { NetworkFacts } from '../../tox/network-facts.js';
import type { ChannelFriend } from './tox-channel.js';

/** How far the search for a friend has come that is not connected; `since` in ms of the clock. */
export type DiscoveryState =
  | { readonly kind: 'sought' }
  /** Nodes know the friend, as they do for up to five minutes after it stopped. */
  | { readonly kind: 'found'; readonly since: number }
  /** The friend has answered, and so knows us. */
  | { readonly kind: 'answering'; readonly since: number };

export interface ProxyFault {
  readonly code: 'unreachable' | 'silent' | 'not-a-proxy' | 'credentials' | 'refuses';
  /** Which proxy, without the credentials. */
  readonly proxy: string;
  /** Why, as a sentence without its end. */
  readonly reason: string;
}

export interface StackFriend extends ChannelFriend {
  readonly isOnline: boolean;
  readonly standing: DiscoveryState;
  /** Looks for it anew, as quickly as at first; while it is online, nothing happens. */
  seek(): void;
  readonly path: ConnectionPath;
  readonly facts: ConnectionFacts;
}

export interface FriendRequest {
  readonly publicKey: PublicKey;
  readonly message: Buffer;
  /** By which it came, of a few: a flood takes one of them, or some. */
  readonly way: string;
  accept(): StackFriend;
}

export interface NodeToAsk {
  readonly host: string;
  readonly port: number;
  readonly publicKey: PublicKey;
  /** Of its TCP relay; that of UDP is tried when nothing is known. */
  readonly tcpPorts?: readonly number[];
}

export interface ToxStack<Friend extends StackFriend = StackFriend> {
  readonly id: ToxId;
  start(): Promise<void>;
  stop(): Promise<void>;
  bootstrap(node: NodeToAsk): void;
  readonly isOnline: boolean;
  /** Only once it has started. */
  readonly networkFacts: NetworkFacts;
  onOnlineChange(listener: (isOnline: boolean) => void): void;
  /** Why the proxy is of no use now; undefined while it is, and without one. */
  readonly proxyFault: ProxyFault | undefined;
  onProxyChange(listener: (fault: ProxyFault | undefined) => void): void;
  onFriendRequest(listener: (request: FriendRequest) => void): void;
  /** Sends the request whenever the friend is not connected: a server that was restarted has forgotten its clients. */
  addFriend(id: ToxId, message: Buffer): Friend;
  removeFriend(friend: Friend): void;
  savedata(): Buffer;
  /** Sends a datagram to ourselves, and waits a little for it to come, unless others answer; true where there is no UDP. Never rejects. */
  proveAlive(): Promise<boolean>;
}
