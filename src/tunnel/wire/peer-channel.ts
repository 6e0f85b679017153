/**
 * What the tunnel protocol needs: an ordered, reliable stream of packets to one peer, and a way for packets that may be lost. It does
 * not depend on Tox: the engine makes one for each friend that comes online, and tests make pairs of them in memory.
 */
export interface PeerChannel {
  /** A name of the peer that stays the same over reconnections: its public key in hex. */
  readonly peerId: string;
  /**
   * The largest packet that should be sent, in bytes, including the first byte of the magic: over Tox 1445 for peers of our kind and
   * 1373 for others, or less while the path takes less or is unknown. It changes with the path; a packet that was within an earlier
   * value is always taken.
   */
  readonly maxPacketSize: number;
  /** ms since anything of the peer arrived, acknowledgements included; Infinity when the channel is closed. */
  readonly silence: number;
  /**
   * Takes a copy of a whole packet, or returns false and takes nothing; then `onDrain` is called when there is room. A closed
   * channel takes everything and does nothing.
   */
  send(packet: Buffer): boolean;
  /**
   * Sends a packet that may be lost, and may overtake others; its first byte is 200 to 254. Only to peers with the extension.
   * @returns false when it is lost here, for lack of room. The buffer must not be changed afterwards.
   */
  sendLossy(packet: Buffer): boolean;
  /** Connects the receiver; called once, right after the channel is made. */
  receive(handlers: PeerChannelHandlers): void;
}

export interface PeerChannelHandlers {
  /** Called for each packet, in order; its bytes belong to the receiver. */
  onPacket(packet: Buffer): void;
  /** Called for each lossy packet that arrives. */
  onLossy(packet: Buffer): void;
  /** There is room again after a `send` that returned false. */
  onDrain(): void;
  /** The peer has gone offline: no packet follows in either direction. A later session is a new channel. */
  onClose(): void;
}
