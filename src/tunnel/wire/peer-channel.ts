/**
 * What the tunnel protocol needs of the world: an ordered, reliable stream of packets to one peer. It knows nothing of Tox;
 * the engine makes one of each friend that comes online, a test makes a pair of them in memory.
 */
export interface PeerChannel {
  /** A name that is stable for the peer over reconnections: its public key in hex. */
  readonly peerId: string;
  /**
   * Bytes that one packet should have at the most to pass at once, the first magic byte included: over Tox 1373, or less where
   * the path takes no more or is not known yet. It changes with the path; a packet that was within it is always taken.
   */
  readonly maxPacketSize: number;
  /**
   * Takes a packet whole or, returning false, not at all; after false `onDrain` is called once there is room.
   * On a closed channel it takes everything and does nothing. The buffer must stay unchanged afterwards.
   */
  send(packet: Buffer): boolean;
  /** Connects the receiver; called once, at once after the channel is made. */
  receive(handlers: PeerChannelHandlers): void;
}

export interface PeerChannelHandlers {
  /** One packet, in order; the bytes belong to the receiver. */
  onPacket(packet: Buffer): void;
  /** There is room again after a `send` that returned false. */
  onDrain(): void;
  /** The peer went away: nothing more comes, nothing more goes. A later session is a new channel. */
  onClose(): void;
}
