/** A peer that sends what a test says, and keeps what it receives. */
import type { PeerChannelHandlers } from '../../../src/tunnel/wire/peer-channel.js';
import type { TestChannel } from './channel-pair.js';

/** Sends in order, however full the channel is, and stores the ids of its tunnels. */
export class RawPeer implements PeerChannelHandlers {
  readonly #channel: TestChannel;
  readonly #queue: Buffer[] = [];
  #isFull = false;
  readonly ids: number[] = [];
  readonly received: Buffer[] = [];

  constructor(channel: TestChannel) {
    this.#channel = channel;
    channel.receive(this);
  }

  get waiting(): number {
    return this.#queue.length;
  }

  send(packet: Buffer): void {
    this.#queue.push(packet);
    this.onDrain(this.#isFull);
  }

  onPacket(packet: Buffer): void {
    this.received.push(packet);
    if (packet.readUInt16BE(2) === 0x0610) this.ids.push(packet.readUInt16BE(4));
  }

  onLossy(): void {}

  onDrain(isFull = false): void {
    this.#isFull = isFull;
    while (!this.#isFull && this.#queue.length > 0) {
      if (this.#channel.send(this.#queue[0] as Buffer)) this.#queue.shift();
      else this.#isFull = true;
    }
  }

  onClose(): void {}
}
