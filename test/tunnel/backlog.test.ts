/** Bounds of the data that waits for slow programs. */
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { PeerChannel, PeerChannelHandlers } from '../../src/tunnel/wire/peer-channel.js';
import { until, World } from './support/world.js';

const MIB = 1024 * 1024;
const FRAME_DATA = 1365;

/** An upstream client that sends the same frames again and again: waiting data is counted in full and takes no memory. */
class Flooder implements PeerChannel {
  readonly peerId: string;
  readonly maxPacketSize = 1373;
  readonly silence = 0;
  readonly tunnelIds: number[] = [];
  #handlers: PeerChannelHandlers | undefined;

  constructor(peerId: string) {
    this.peerId = peerId;
  }

  send(packet: Buffer): boolean {
    if (packet.readUInt16BE(2) === 0x0610) this.tunnelIds.push(packet.readUInt16BE(4));
    return true;
  }

  sendLossy(): boolean {
    return false;
  }

  receive(handlers: PeerChannelHandlers): void {
    this.#handlers = handlers;
  }

  #send(type: number, id: number, data: Buffer): void {
    const header = Buffer.alloc(8);
    for (const [index, value] of [0xa26b, type, id, data.length].entries()) header.writeUInt16BE(value, index * 2);
    this.#handlers?.onPacket(Buffer.concat([header, data]));
  }

  async open(port: number): Promise<number> {
    const count = this.tunnelIds.length;
    this.#send(0x0602, port, Buffer.concat([Buffer.alloc(4, count), Buffer.from('127.0.0.1')]));
    await until(() => this.tunnelIds.length > count);
    return this.tunnelIds[count] as number;
  }

  /** Ends a tunnel: no more data follows, and the target's data is not wanted. */
  end(id: number): void {
    this.#send(0x0601, id, Buffer.alloc(0));
  }

  leave(): void {
    this.#handlers?.onClose();
  }

  flood(id: number, bytes: number): void {
    const header = Buffer.from([0xa2, 0x6b, 0x06, 0x00, id >> 8, id & 0xff, FRAME_DATA >> 8, FRAME_DATA & 0xff]);
    const packet = Buffer.concat([header, Buffer.alloc(FRAME_DATA)]);
    for (let sent = 0; sent < bytes; sent += FRAME_DATA) this.#handlers?.onPacket(packet);
  }
}

t.test('the backlogs of all peers together are bounded, and the peer with the largest loses a tunnel', async (t) => {
  const world = new World(t);
  const server = world.service();
  const port = await world.target((socket) => void socket.pause());
  const [greedy, modest] = [new Flooder('dd'.repeat(32)), new Flooder('cc'.repeat(32))];
  const total = (): number => server.list().reduce((sum, { backlog }) => sum + backlog, 0);
  const closed: string[] = [];
  server.on('closed', ({ peerId }, reason) => closed.push(`${peerId.slice(0, 2)} ${reason}`));
  const others = [new Flooder('aa'.repeat(32)), new Flooder('bb'.repeat(32))];
  for (const peer of [greedy, modest, ...others]) server.attach(peer);
  /** Sends until this many bytes wait in a new tunnel, whatever the system's own buffers take. */
  const fill = async (peer: Flooder, bytes: number): Promise<void> => {
    const id = await peer.open(port);
    const waiting = (): number => server.list().at(-1)?.backlog ?? 0;
    while (waiting() < bytes && closed.length === 0) {
      peer.flood(id, bytes - waiting());
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  for (let round = 0; round < 8; round += 1) await fill(greedy, 15 * MIB);
  for (let round = 0; round < 6; round += 1) for (const peer of others) await fill(peer, 10 * MIB);
  t.same(closed, [], 'below the limit');
  while (closed.length === 0) await fill(modest, 5 * MIB);
  t.same(closed, ['dd overflow']);
  t.ok(total() <= 256 * MIB, `${total()} bytes wait`);
});

/** A peer that left tunnels behind, whose targets take nothing. */
async function leftBehind(t: Test, tunnels: number, descriptors: number) {
  const world = new World(t);
  const server = world.service(undefined, undefined, undefined, descriptors);
  const port = await world.target((socket) => void socket.pause());
  const peer = new Flooder('dd'.repeat(32));
  server.attach(peer);
  for (let count = 1; count <= tunnels; count += 1) {
    const id = await peer.open(port);
    while ((server.list().at(-1)?.backlog ?? 0) < MIB) {
      peer.flood(id, MIB);
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    peer.end(id);
  }
  peer.leave();
  return { world, server, port, peer };
}

t.test('tunnels that a peer left behind count when it returns', async (t) => {
  const { server, port, peer } = await leftBehind(t, 3, 8);
  t.equal(server.list().length, 3);
  server.attach(peer);
  for (let count = 0; count < 8; count += 1) await peer.open(port);
  t.equal(server.list().length, 4, 'half of the descriptors, which one peer alone may have');
});

t.test('bytes that a peer left behind count when it returns: at most 128 MiB wait for one peer', async (t) => {
  const world = new World(t);
  const server = world.service();
  const port = await world.target((socket) => void socket.pause());
  const peer = new Flooder('dd'.repeat(32));
  const closed: (string | undefined)[] = [];
  server.on('closed', (_tunnel, reason) => closed.push(reason));
  for (let session = 0; session < 2; session += 1) {
    server.attach(peer);
    for (let count = 0; count < 5 && closed.length === 0; count += 1) {
      const id = await peer.open(port);
      const waiting = (): number => server.list().at(-1)?.backlog ?? 0;
      while (waiting() < 15 * MIB && closed.length === 0) {
        peer.flood(id, 15 * MIB - waiting());
        for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
      peer.end(id);
    }
    if (session === 0) {
      t.same([server.list().length, closed], [5, []]);
      peer.leave();
    }
  }
  t.same(closed, ['overflow']);
  const bytes = server.list().reduce((sum, { backlog }) => sum + backlog, 0);
  t.ok(bytes > 100 * MIB && bytes <= 128 * MIB, `${bytes} bytes wait`);
});

t.test('the tunnels that a peer left behind end when their target takes nothing for five minutes', async (t) => {
  const { world, server } = await leftBehind(t, 1, 8);
  const reasons: (string | undefined)[] = [];
  server.on('closed', (_tunnel, reason) => reasons.push(reason));
  world.clock.advance(299_000);
  t.equal(server.list().length, 1);
  world.clock.advance(1_000);
  t.same([server.list(), reasons], [[], ['overflow']]);
  t.equal(world.clock.pending, 0);
});

t.test('a target that continues to read gets everything, however long it takes', async (t) => {
  const world = new World(t);
  const server = world.service();
  let target: Socket | undefined;
  const port = await world.target((socket) => {
    target = socket.pause();
  });
  const peer = new Flooder('dd'.repeat(32));
  server.attach(peer);
  const id = await peer.open(port);
  peer.flood(id, 12 * MIB);
  peer.end(id);
  peer.leave();
  let got = 0;
  while (server.list().length > 0) {
    const before = server.list()[0]?.backlog;
    while (server.list()[0]?.backlog === before) {
      await new Promise((resolve) => setImmediate(resolve));
      got += (target?.read() as Buffer | null)?.length ?? 0;
    }
    world.clock.advance(299_000);
  }
  await until(() => {
    got += (target?.read() as Buffer | null)?.length ?? 0;
    return target?.readableEnded === true;
  });
  t.ok(got >= 12 * MIB, `${got} bytes`);
});
