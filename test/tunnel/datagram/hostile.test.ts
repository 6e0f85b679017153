/** Peers that send arbitrary lossy packets and frames about UDP sessions: nothing throws, and only their own sessions break. */
import t, { type Test } from 'tap';
import type { DatagramEnd, DatagramHandlers } from '../../../src/tunnel/stream/datagram-end.js';
import { encodeFrame } from '../../../src/tunnel/wire/frame.js';
import { encodeHello } from '../../../src/tunnel/wire/hello.js';
import type { PeerChannel, PeerChannelHandlers } from '../../../src/tunnel/wire/peer-channel.js';
import { encodeAck, encodeRequest } from '../../../src/tunnel/wire/request.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { until, World } from '../support/world.js';

const HELLO = encodeFrame(0x0108, 0, encodeHello({ kind: 'hello', version: 1, initialWindow: 65_536 }));
const ANSWER = encodeFrame(0x0100, 0, encodeHello({ kind: 'answer', version: 1, initialWindow: 65_536 }));
const ABOUT_TUNNELS = [0x0600, 0x0601, 0x0620, 0x0621, 0x0622];

class RawPeer implements PeerChannel {
  readonly peerId = 'ee'.repeat(32);
  readonly maxPacketSize = 1373;
  readonly silence = 0;
  readonly ids: number[] = [];
  readonly forwardIds: number[] = [];
  readonly lossy: Buffer[] = [];
  handlers: PeerChannelHandlers | undefined;

  send(packet: Buffer): boolean {
    const type = packet.readUInt16BE(2);
    if (type === 0x0610) this.ids.push(packet.readUInt16BE(4));
    if (type === 0x0602) this.forwardIds.push(packet.readUInt32BE(8));
    return true;
  }

  sendLossy(packet: Buffer): boolean {
    this.lossy.push(packet);
    return true;
  }

  receive(handlers: PeerChannelHandlers): void {
    this.handlers = handlers;
  }
}

/** A local end that records what it gets. */
class RecordingEnd implements DatagramEnd {
  readonly localPort = undefined;
  readonly remoteAddress = undefined;
  readonly received: Buffer[] = [];
  readonly ends: string[] = [];
  handlers: DatagramHandlers | undefined;

  start(handlers: DatagramHandlers): void {
    this.handlers = handlers;
  }
  send(bytes: Buffer): void {
    this.received.push(bytes);
  }
  reset(reason: string): void {
    this.ends.push(reason);
  }
  destroy(): void {
    this.ends.push('ended');
  }
}

function openTo(t: Test) {
  const client = new World(t).service();
  const peer = new RawPeer();
  client.attach(peer, { isServer: true });
  peer.handlers?.onPacket(ANSWER);
  const end = new RecordingEnd();
  const target = { host: '127.0.0.1', port: 53, protocol: 'udp' } as const;
  client.opener(peer.peerId).open(target, { onAccepted: () => end, onRefused: (reason) => t.fail(reason) });
  peer.handlers?.onPacket(encodeAck(9, peer.forwardIds[0] as number));
  return { client, peer, end, lossy: (hex: string) => peer.handlers?.onLossy(Buffer.from(hex, 'hex')) };
}

t.test('a lossy packet reaches the session of its id and direction, and no other', async (t) => {
  const { end, lossy, peer } = openTo(t);
  lossy('d501000941');
  lossy('d500000942'); // as if we had accepted it
  lossy('d501000843'); // another id
  lossy('d5010009');
  t.same(end.received.map(String), ['A', '']);
  end.handlers?.onDatagram(Buffer.from('hi'));
  t.same(peer.lossy, [Buffer.from('d50000096869', 'hex')]);
});

t.test('frames of streams do nothing to a session', async (t) => {
  const { client, peer, end, lossy } = openTo(t);
  for (const type of [0x0680, 0x06a0, 0x06a1]) peer.handlers?.onPacket(encodeFrame(type, 9, Buffer.alloc(4, 1)));
  lossy('d501000941');
  t.same(end.received.map(String), ['A']);
  t.same(end.ends, []);
  t.equal(client.list().length, 1);
});

t.test('lossy packets for a tunnel of bytes are dropped', async (t) => {
  const world = new World(t);
  const port = await world.target((socket) => void socket.pipe(socket));
  const server = world.service();
  const peer = new RawPeer();
  server.attach(peer);
  peer.handlers?.onPacket(HELLO);
  peer.handlers?.onPacket(encodeRequest(1, { host: '127.0.0.1', port }));
  await until(() => peer.ids.length === 1);
  const packet = Buffer.from('d500000041', 'hex');
  packet.writeUInt16BE(peer.ids[0] as number, 2);
  peer.handlers?.onLossy(packet);
  t.match(server.list(), [{ bytesReceived: 0, isClosing: false }]);
});

t.test('after its end a session takes and sends nothing', async (t) => {
  const { client, peer, end, lossy } = openTo(t);
  peer.handlers?.onPacket(encodeFrame(0x0681, 9));
  lossy('d501000941');
  end.handlers?.onDatagram(Buffer.from('hi'));
  end.handlers?.onFailed('failed');
  t.same(end.received, []);
  t.same(peer.lossy, []);
  t.same(end.ends, ['ended']);
  t.equal(client.list().length, 0);
});

t.test('random lossy packets and frames about sessions break nothing else', async (t) => {
  for (const seed of [51, 52, 53]) {
    const random = new SeededRandom(seed);
    const world = new World(t, seed);
    const server = world.service();
    const peer = new RawPeer();
    server.attach(peer);
    peer.handlers?.onPacket(HELLO);
    for (let round = 0; round < 5_000; round += 1) {
      const id = peer.ids[random.below(peer.ids.length || 1)] ?? random.below(0x10000);
      const kind = random.below(20);
      if (kind === 0) {
        const target = { host: '127.0.0.1', port: 1 + random.below(5), protocol: 'udp' } as const;
        peer.handlers?.onPacket(encodeRequest(random.below(100), target));
      } else if (kind === 1) {
        const type = ABOUT_TUNNELS[random.below(ABOUT_TUNNELS.length)] as number;
        peer.handlers?.onPacket(encodeFrame(type, id, random.bytes(random.below(8))));
      } else {
        const packet = random.bytes(random.below(60));
        if (packet.length > 8) {
          packet.set([0xd5, random.below(kind === 2 ? 256 : 4)]);
          packet.writeUInt16BE(id, 2);
        }
        peer.handlers?.onLossy(packet);
      }
      if (round % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    t.ok(peer.ids.length > 10, 'some sessions began');
    const port = await world.target((socket) => void socket.end('alive'));
    const before = peer.ids.length;
    peer.handlers?.onPacket(encodeRequest(1000, { host: '127.0.0.1', port }));
    await until(() => peer.ids.length > before);
    peer.handlers?.onClose();
    await until(() => server.list().length === 0);
  }
});
