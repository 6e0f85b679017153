/**
 * Channels of the tunnel protocol over a friend: one for each session. It ends when the friend goes offline, and can be written to a round
 * trip before the friend is online.
 */
import type { Friend } from '../../tox/messenger.js';
import type { PeerChannel, PeerChannelHandlers } from '../../tunnel/wire/peer-channel.js';

export type ChannelFriend = Pick<
  Friend,
  | ('publicKey' | 'packetSize' | 'silence' | 'sendLossless' | 'sendLossy')
  | ('onPresence' | 'onLossless' | 'onLossy' | 'onDrain')
>;

export interface SessionHandlers {
  /**
   * The friend is about to be online: what is sent now arrives with our handshake. Called where nobody else uses the friend. The channel
   * may close before `onOpen`.
   */
  onWritable?(channel: PeerChannel): void;
  /** The friend is online. */
  onOpen(channel: PeerChannel): void;
  /** The session ended; its channel has been closed. */
  onClose(): void;
}

/** The session of each friend, which is shared: a peer may be our server and our client. */
const SESSIONS = new WeakMap<ChannelFriend, FriendSessions>();

/**
 * Opens a channel for each session of the friend. Others that use the friend get the same channels.
 * @returns a function after which the handlers are not called any more; it ends their part in the present session
 */
export function openChannels(friend: ChannelFriend, handlers: SessionHandlers): () => void {
  let sessions = SESSIONS.get(friend);
  if (sessions === undefined) {
    sessions = new FriendSessions(friend);
    SESSIONS.set(friend, sessions);
  }
  return sessions.use(handlers);
}

class FriendSessions {
  /** Those that use the friend, and whether they know that it is online. */
  readonly #users = new Map<SessionHandlers, boolean>();
  #session: ToxChannel | undefined;
  #isOnline = false;

  constructor(friend: ChannelFriend) {
    friend.onPresence((presence) => {
      if (presence !== 'online' || this.#isOnline) this.#end();
      if (presence === 'offline') return;
      this.#isOnline = presence === 'online';
      this.#session ??= new ToxChannel(friend);
      for (const handlers of [...this.#users.keys()]) this.#tell(handlers);
    });
    friend.onLossless((packet) => this.#session?.handlers?.onPacket(packet));
    friend.onLossy((packet) => this.#session?.handlers?.onLossy(packet));
    friend.onDrain(() => this.#session?.handlers?.onDrain());
  }

  use(handlers: SessionHandlers): () => void {
    this.#users.set(handlers, false);
    // Soon: the caller is not ready yet.
    if (this.#session !== undefined) queueMicrotask(() => this.#tell(handlers));
    return () => {
      const knows = this.#users.get(handlers);
      this.#users.delete(handlers);
      if (knows === true) handlers.onClose();
    };
  }

  #tell(handlers: SessionHandlers): void {
    if (this.#session === undefined || this.#users.get(handlers) !== false) return;
    if (!this.#isOnline) {
      // A peer that is our client, too, may not have admitted us yet, and would refuse the first requests.
      if (this.#users.size === 1) handlers.onWritable?.(this.#session);
      return;
    }
    this.#users.set(handlers, true);
    handlers.onOpen(this.#session);
  }

  #end(): void {
    if (this.#session === undefined) return;
    this.#isOnline = false;
    this.#session.close();
    this.#session = undefined;
    for (const [handlers, knows] of [...this.#users]) {
      if (!knows) continue;
      this.#users.set(handlers, false);
      handlers.onClose();
    }
  }
}

class ToxChannel implements PeerChannel {
  readonly peerId: string;
  readonly #friend: ChannelFriend;
  #handlers: PeerChannelHandlers | undefined;
  #isOpen = true;

  constructor(friend: ChannelFriend) {
    this.peerId = friend.publicKey.hex;
    this.#friend = friend;
  }

  get handlers(): PeerChannelHandlers | undefined {
    return this.#handlers;
  }

  get maxPacketSize(): number {
    return this.#friend.packetSize;
  }

  get silence(): number {
    return this.#isOpen ? this.#friend.silence : Number.POSITIVE_INFINITY;
  }

  send(packet: Buffer): boolean {
    return !this.#isOpen || this.#friend.sendLossless(packet);
  }

  sendLossy(packet: Buffer): boolean {
    return this.#isOpen && this.#friend.sendLossy(packet);
  }

  receive(handlers: PeerChannelHandlers): void {
    this.#handlers = handlers;
  }

  close(): void {
    this.#isOpen = false;
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.onClose();
  }
}
