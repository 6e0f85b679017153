/**
 * A peer that does what upstream's source does (main.c, client.c at HEAD), on real sockets: no windows, no half-close, no
 * answer when a target is refused, one table of ids. It throws where upstream would crash or misbehave.
 */
import { connect, type Socket } from 'node:net';
import type { PeerChannel } from '../../../src/tunnel/wire/peer-channel.js';
import type { SeededRandom } from '../../support/seeded-random.js';

const header = (type: number, id: number, length: number): Buffer => {
  const bytes = Buffer.alloc(8);
  for (const [index, value] of [0xa26b, type, id, length].entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
};

export class UpstreamPeer {
  readonly #channel: PeerChannel;
  readonly #random: SeededRandom;
  readonly #mode: 'client' | 'server';
  readonly #queue: Buffer[] = [];
  #isFull = false;
  readonly #tunnels = new Map<number, Socket>();
  /** Sockets of a client's forwards that wait for an ack. */
  readonly #pending = new Map<number, Socket>();
  readonly types: number[] = [];
  readonly unknownTypes: number[] = [];
  readonly pongs: Buffer[] = [];
  readonly finsForUnknown: number[] = [];

  constructor(channel: PeerChannel, mode: 'client' | 'server', random: SeededRandom) {
    this.#channel = channel;
    this.#mode = mode;
    this.#random = random;
    channel.receive({
      onPacket: (packet) => this.#onPacket(packet),
      onLossy: () => {
        throw new Error('upstream does not know lossy packets');
      },
      onDrain: () => {
        this.#isFull = false;
        this.#flush();
      },
      onClose: () => {},
    });
  }

  get tunnelIds(): number[] {
    return [...this.#tunnels.keys()];
  }

  send(type: number, id: number, data: Buffer = Buffer.alloc(0)): void {
    this.#queue.push(Buffer.concat([header(type, id, data.length), data]));
    this.#flush();
  }

  /** Requests a tunnel, as a client does for a connection that it accepted. */
  request(socket: Socket, host: string, port: number, forwardId: number): void {
    this.#pending.set(forwardId, socket);
    const id = Buffer.alloc(4);
    id.writeUInt32BE(forwardId);
    this.send(0x0602, port, Buffer.concat([id, Buffer.from(host)]));
  }

  #flush(): void {
    while (!this.#isFull && this.#queue.length > 0) {
      if (this.#channel.send(this.#queue[0] as Buffer)) this.#queue.shift();
      else this.#isFull = true;
    }
  }

  #onPacket(packet: Buffer): void {
    if (packet.length < 8 || packet.readUInt16BE(0) !== 0xa26b) throw new Error('upstream warns of a bad packet');
    const [type, id, length] = [packet.readUInt16BE(2), packet.readUInt16BE(4), packet.readUInt16BE(6)];
    if (packet.length < length + 8 || length > 1365) throw new Error('upstream warns of a bad length');
    const data = packet.subarray(8, 8 + length);
    this.types.push(type);
    switch (type) {
      case 0x0108:
        this.send(0x0100, 0, data);
        break;
      case 0x0100:
        this.pongs.push(data);
        break;
      case 0x0602:
        this.#onRequest(id, data);
        break;
      case 0x0610:
        this.#onAck(id, data);
        break;
      case 0x0600:
        this.#tunnels.get(id)?.write(data);
        break;
      case 0x0601:
        this.#onFin(id);
        break;
      default:
        this.unknownTypes.push(type);
    }
  }

  #onRequest(port: number, data: Buffer): void {
    if (this.#mode === 'client') throw new Error('upstream warns of a request in client mode');
    if (data.length < 4) throw new Error('upstream crashes');
    const socket = connect({ host: data.subarray(4).toString(), port, family: 4, allowHalfOpen: true });
    socket.once('error', () => socket.destroy()); // and sends no answer
    socket.once('connect', () => {
      let id = this.#random.below(0x10000);
      while (this.#tunnels.has(id)) id = this.#random.below(0x10000);
      this.send(0x0610, id, data.subarray(0, 4));
      this.#carry(id, socket);
    });
  }

  #onAck(id: number, data: Buffer): void {
    if (this.#mode === 'server' || data.length < 3) throw new Error('upstream warns of an ack');
    const socket = this.#pending.get(data.readUInt32BE());
    if (socket === undefined) throw new Error('upstream warns of a wrong forward id');
    this.#pending.delete(data.readUInt32BE());
    this.#carry(id, socket);
  }

  /** Any end of the socket ends the tunnel at once. */
  #carry(id: number, socket: Socket): void {
    this.#tunnels.set(id, socket);
    const end = (): void => {
      if (this.#tunnels.get(id) !== socket) return;
      this.#tunnels.delete(id);
      this.send(0x0601, id);
      socket.destroy();
    };
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += 1365) this.send(0x0600, id, chunk.subarray(at, at + 1365));
    });
    socket.on('end', end).on('error', end).on('close', end).resume();
  }

  #onFin(id: number): void {
    const socket = this.#tunnels.get(id);
    if (socket === undefined) {
      this.finsForUnknown.push(id);
      return;
    }
    this.#tunnels.delete(id);
    // close(2) after blocking send(2): what was written is still delivered.
    socket.destroySoon();
  }
}
