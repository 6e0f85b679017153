/** Channels of the tunnel protocol over a friend: one for each session, from online to offline. */
import type { Friend } from '../../tox/messenger.js';
import type { PeerChannel, PeerChannelHandlers } from '../../tunnel/wire/peer-channel.js';

export type ChannelFriend = Pick<
  Friend,
  'publicKey' | 'packetSize' | 'sendLossless' | 'onOnline' | 'onOffline' | 'onLossless' | 'onDrain'
>;

export interface SessionHandlers {
  onOpen(channel: PeerChannel): void;
  /** The session ended; its channel has been closed. */
  onClose(): void;
}

/** Opens a channel for each session of the friend. */
export function openChannels(friend: ChannelFriend, handlers: SessionHandlers): void {
  let session: ToxChannel | undefined;
  const end = (): void => {
    if (session === undefined) return;
    session.close();
    session = undefined;
    handlers.onClose();
  };
  friend.onOnline(() => {
    end();
    session = new ToxChannel(friend);
    handlers.onOpen(session);
  });
  friend.onOffline(end);
  friend.onLossless((packet) => session?.handlers?.onPacket(packet));
  friend.onDrain(() => session?.handlers?.onDrain());
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

  send(packet: Buffer): boolean {
    return !this.#isOpen || this.#friend.sendLossless(packet);
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
