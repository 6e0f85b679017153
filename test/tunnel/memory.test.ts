/** How much memory a peer can make one link hold, whatever it sends: the figures of docs/tunnel-protocol.md, "Limits". */
import t from 'tap';
import { encodeFrame } from '../../src/tunnel/wire/frame.js';
import { encodeHello } from '../../src/tunnel/wire/hello.js';
import type { PeerChannel, PeerChannelHandlers } from '../../src/tunnel/wire/peer-channel.js';
import { encodeAck, encodeDeny, encodeRequest } from '../../src/tunnel/wire/request.js';
import { SeededRandom } from '../support/seeded-random.js';
import { until, World } from './support/world.js';

const MIB = 1024 * 1024;
/** Bytes of bookkeeping for a waiting frame. */
const OVERHEAD = 256;
/** At most a window frame and a last frame of a tunnel wait. */
const OWED_BY_A_TUNNEL = 2 * (12 + OVERHEAD);
const TYPES = [0x0100, 0x0108, 0x0600, 0x0601, 0x0604, 0x0610, 0x0620, 0x0621, 0x0622, 0x0680, 0x0681, 0x06a0, 0x06a2];
const hello = encodeFrame(0x0108, 0, encodeHello({ kind: 'hello', version: 1, initialWindow: 65536 }));

/** A peer that sends frames, and reads nothing until the test lets it. */
class SilentPeer implements PeerChannel {
  readonly peerId = 'ee'.repeat(32);
  readonly maxPacketSize = 1373;
  readonly silence = 0;
  readonly received: Buffer[] = [];
  isReading = false;
  #handlers: PeerChannelHandlers | undefined;

  send(packet: Buffer): boolean {
    if (this.isReading) this.received.push(Buffer.from(packet));
    return this.isReading;
  }

  sendLossy(): boolean {
    return false;
  }

  receive(handlers: PeerChannelHandlers): void {
    this.#handlers = handlers;
  }

  inject(packet: Buffer): void {
    this.#handlers?.onPacket(packet);
  }

  /** Bytes of all frames that waited. */
  read(): number {
    this.isReading = true;
    this.#handlers?.onDrain();
    return this.received.reduce((sum, packet) => sum + packet.length + OVERHEAD, 0);
  }
}

t.test('acks of tunnels that were not requested are answered only while there is room', async (t) => {
  const server = new World(t).service();
  const peer = new SilentPeer();
  server.attach(peer);
  for (let count = 0; count < 100_000; count += 1) peer.inject(encodeAck(count & 0xffff, count));
  t.ok(peer.read() <= MIB, `${peer.received.length} answers wait`);
});

t.test('the answers that wait for a peer that reads nothing are bounded, whatever it sends', async (t) => {
  for (const seed of [1, 2, 3, 4]) {
    const random = new SeededRandom(seed);
    const world = new World(t, seed);
    const server = world.service();
    const port = await world.target((socket) => void socket.on('error', () => {}).resume());
    const peer = new SilentPeer();
    server.attach(peer);
    if (seed % 2 === 0) peer.inject(hello);
    for (let round = 0; round < 60_000; round += 1) {
      const kind = random.below(8);
      if (kind < 2) peer.inject(encodeAck(random.below(0x10000), random.below(0x1_0000_0000)));
      else if (kind === 2) peer.inject(encodeDeny(random.below(0x10000), 'failed'));
      else if (kind === 3) peer.inject(encodeFrame(0x0108, 0, random.bytes(random.below(1366))));
      else if (kind === 4) peer.inject(encodeFrame(0x0602, port, Buffer.from([0, 0, 0, 1, 32])));
      else if (kind === 5 && round % 50 === 0) peer.inject(encodeRequest(round, { host: '127.0.0.1', port }));
      else {
        const type = TYPES[random.below(TYPES.length)] as number;
        peer.inject(encodeFrame(type, random.below(0x10000), random.bytes(random.below(64))));
      }
      if (round % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => server.connecting().length === 0);
    const tunnels = server.list().length;
    t.ok(tunnels <= 1024);
    const bytes = peer.read();
    t.ok(bytes <= 0.5 * MIB + 2 * (1373 + OVERHEAD) + tunnels * OWED_BY_A_TUNNEL, `seed ${seed}: ${bytes} bytes`);
  }
});
