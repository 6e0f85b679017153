/** Early data: what a program sends before its request is answered, in each order in which frames can meet. */
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import type { LocalForward } from '../../src/tunnel/client/local-forward.js';
import type { RemoteForward } from '../../src/tunnel/client/remote-forward.js';
import type { Dialer } from '../../src/tunnel/server/dialer.js';
import { TcpDialer } from '../../src/tunnel/server/tcp-dialer.js';
import { HTTP_GRANTED } from '../../src/tunnel/socks/http-connect.js';
import { TunnelService } from '../../src/tunnel/tunnel-service.js';
import {
  ACK_TUNNEL,
  DENY_TUNNEL,
  decodeFrame,
  EARLY,
  EOF,
  encodeFrame,
  type Frame,
  PONG,
  REQUEST_TUNNEL,
  RESET,
  TCP,
  TCP_FIN,
  WINDOW,
} from '../../src/tunnel/wire/frame.js';
import { encodeHello, VERSION } from '../../src/tunnel/wire/hello.js';
import { decodeReason } from '../../src/tunnel/wire/reasons.js';
import {
  decodeDenyReason,
  decodeEarly,
  decodeForwardId,
  encodeAck,
  encodeDeny,
  encodeEarly,
  encodeRequest,
  MAX_EARLY,
} from '../../src/tunnel/wire/request.js';
import { channelPair } from './support/channel-pair.js';
import { localSpec } from './support/local-spec.js';
import { RawPeer } from './support/raw-peer.js';
import { howItEnds, pairOfOurs, readAll, readSome, until, World } from './support/world.js';

const HELLO = encodeFrame(0x0108, 0, encodeHello({ kind: 'hello', version: VERSION, initialWindow: 65_536 }));
const bytes = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) % 251));
const framesOf = (peer: RawPeer): Frame[] => peer.received.map((packet) => decodeFrame(packet) as Frame);

// The acceptor

/** A peer that opens tunnels, and a server whose targets are connected to when the test says so. */
class Acceptor {
  readonly world: World;
  readonly peer: RawPeer;
  readonly received: Buffer[] = [];
  readonly connections: Socket[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #port: Promise<number>;

  constructor(t: Test, mayReach = true) {
    this.world = new World(t);
    const tcp = new TcpDialer(this.world.clock);
    const dialer: Dialer = {
      dial: (...args) => {
        this.#waiting.push(() => tcp.dial(...args));
        return () => {};
      },
    };
    const server = this.world.service(
      () => (mayReach ? { allowed: true } : { allowed: false, reason: 'not here' }),
      dialer,
    );
    const channels = channelPair({ capacity: 2_000, burst: 2_000 });
    this.peer = new RawPeer(channels.client);
    server.attach(channels.server);
    this.#port = this.world.target((socket) => {
      this.connections.push(socket);
      socket.on('data', (data: Buffer) => this.received.push(data));
    });
    this.peer.send(HELLO);
  }

  get dialed(): number {
    return this.#waiting.length;
  }

  get text(): string {
    return Buffer.concat(this.received).toString('latin1');
  }

  async request(forwardId: number): Promise<void> {
    const { dialed } = this;
    this.peer.send(encodeRequest(forwardId, { host: '127.0.0.1', port: await this.#port }));
    await until(() => this.dialed === dialed + 1);
  }

  early(forwardId: number, text: string): void {
    this.peer.send(encodeEarly(forwardId, Buffer.from(text, 'latin1')));
  }

  /** Begins to connect to the target of a request, by its number. */
  dial(index: number): void {
    this.#waiting[index]?.();
  }

  /** Connects to the target. @returns the tunnel's id */
  async connect(index = 0): Promise<number> {
    const { length } = this.peer.ids;
    this.dial(index);
    await until(() => this.peer.ids.length > length);
    return this.peer.ids[length] as number;
  }

  frames(type: number): Frame[] {
    return framesOf(this.peer).filter((frame) => frame.type === type);
  }

  /** The peer's frames have arrived, and what follows from them. */
  async settled(): Promise<void> {
    await until(() => this.peer.waiting === 0);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('early data waits for the target, and comes before what the tunnel carries', async (t) => {
  const acceptor = new Acceptor(t);
  await acceptor.request(5);
  acceptor.early(5, 'first ');
  acceptor.early(5, 'second ');
  await acceptor.settled();
  const id = await acceptor.connect();
  acceptor.peer.send(encodeFrame(TCP, id, Buffer.from('third')));
  await until(() => acceptor.text.length === 18);
  t.equal(acceptor.text, 'first second third');
});

t.test('early data that crosses with the ack is of the new tunnel', async (t) => {
  const acceptor = new Acceptor(t);
  await acceptor.request(5);
  acceptor.early(5, 'before ');
  await acceptor.settled();
  const id = await acceptor.connect();
  acceptor.early(5, 'behind ');
  acceptor.early(5, 'the ack ');
  acceptor.peer.send(encodeFrame(TCP, id, Buffer.from('tunnel')));
  acceptor.peer.send(encodeFrame(EOF, id));
  await until(() => acceptor.text.length === 28);
  t.equal(acceptor.text, 'before behind the ack tunnel');
  acceptor.connections[0]?.end();
  await until(() => acceptor.frames(EOF | 0x80).length === 1);
  acceptor.peer.send(encodeFrame(TCP_FIN, id));
  await acceptor.settled();
  t.equal(acceptor.frames(RESET | 0x80).length, 0);
});

t.test('requests that wait at once each get their own early data', async (t) => {
  const acceptor = new Acceptor(t);
  for (const forwardId of [1, 2]) await acceptor.request(forwardId);
  acceptor.early(2, 'two');
  acceptor.early(1, 'one');
  await acceptor.settled();
  await acceptor.connect(0);
  await until(() => acceptor.text === 'one');
  await acceptor.connect(1);
  await until(() => acceptor.text === 'onetwo');
  acceptor.early(1, '-more');
  await until(() => acceptor.text === 'onetwo-more');
  t.pass();
});

t.test('a request with more early data than may wait is refused, and the target gets none of it', async (t) => {
  const acceptor = new Acceptor(t);
  await acceptor.request(5);
  for (let sent = 0; sent <= MAX_EARLY; sent += 1_024) acceptor.peer.send(encodeEarly(5, Buffer.alloc(1_024)));
  await until(() => acceptor.frames(DENY_TUNNEL).length === 1);
  const [deny] = acceptor.frames(DENY_TUNNEL);
  t.same([decodeForwardId(deny as Frame), decodeDenyReason(deny as Frame)], [5, 'overflow']);
  acceptor.early(5, 'and more');
  await acceptor.settled();
  t.equal(acceptor.frames(DENY_TUNNEL).length, 1, 'once');
  await acceptor.request(6);
  await acceptor.connect(1);
  t.equal(acceptor.received.length, 0);
});

t.test('the target of a request that was refused for its early data is let go', async (t) => {
  const acceptor = new Acceptor(t);
  await acceptor.request(5);
  for (let sent = 0; sent <= MAX_EARLY; sent += 1_024) acceptor.peer.send(encodeEarly(5, Buffer.alloc(1_024)));
  await acceptor.settled();
  acceptor.dial(0);
  await until(() => acceptor.connections.length === 1);
  t.match(await howItEnds(acceptor.connections[0] as Socket), /ECONNRESET|ended/);
  t.equal(acceptor.frames(ACK_TUNNEL).length, 0);
});

t.test('early data of a request that is not there, or was refused, is dropped without an answer', async (t) => {
  const acceptor = new Acceptor(t, false);
  acceptor.early(5, 'before the request');
  acceptor.peer.send(encodeRequest(5, { host: '127.0.0.1', port: 1 }));
  await until(() => acceptor.frames(DENY_TUNNEL).length === 1);
  acceptor.early(5, 'after its refusal');
  acceptor.early(77, 'unknown');
  acceptor.peer.send(encodeFrame(EARLY, 0, Buffer.alloc(3)));
  await acceptor.settled();
  t.equal(acceptor.dialed, 0, 'no target is contacted');
  t.same(
    framesOf(acceptor.peer).map(({ type }) => type),
    [PONG, DENY_TUNNEL],
  );
});

t.test('early data before its request is none of it', async (t) => {
  const acceptor = new Acceptor(t);
  acceptor.early(5, 'too soon');
  await acceptor.request(5);
  acceptor.early(5, 'in time');
  await acceptor.settled();
  await acceptor.connect();
  await until(() => acceptor.text === 'in time');
  t.pass();
});

t.test('early data after the end of its tunnel is dropped', async (t) => {
  const acceptor = new Acceptor(t);
  await acceptor.request(5);
  const id = await acceptor.connect();
  acceptor.peer.send(encodeFrame(RESET, id));
  await until(() => acceptor.frames(TCP_FIN | 0x80).length === 1);
  acceptor.early(5, 'too late');
  await acceptor.settled();
  t.equal(acceptor.text, '');
  t.equal(acceptor.frames(RESET | 0x80).length, 0);
});

t.test('early data is of the last request with its forward id', async (t) => {
  const acceptor = new Acceptor(t);
  await acceptor.request(5);
  acceptor.early(5, 'one');
  await acceptor.settled();
  await acceptor.connect(0);
  await until(() => acceptor.text === 'one');
  await acceptor.request(5);
  acceptor.early(5, 'two');
  await acceptor.settled();
  t.equal(acceptor.text, 'one', 'the first tunnel gets nothing of it');
  await acceptor.connect(1);
  await until(() => acceptor.text === 'onetwo');
  t.pass();
});

t.test('early data of a refused request is not of the tunnel that had its forward id before', async (t) => {
  const acceptor = new Acceptor(t);
  await acceptor.request(5);
  await acceptor.connect(0);
  acceptor.peer.send(encodeRequest(5, { host: '', port: 1 }));
  await until(() => acceptor.frames(DENY_TUNNEL).length === 1);
  acceptor.early(5, 'of the refused one');
  await acceptor.settled();
  t.equal(acceptor.text, '');
});

t.test('early data that exceeds the window of its tunnel ends the tunnel', async (t) => {
  const acceptor = new Acceptor(t);
  await acceptor.request(5);
  acceptor.early(5, 'x'.repeat(1_000));
  await acceptor.settled();
  await acceptor.connect();
  await until(() => acceptor.connections.length === 1);
  acceptor.connections[0]?.pause();
  for (let sent = 0; sent < 32 * 1024 * 1024; sent += 1_024) acceptor.peer.send(encodeEarly(5, Buffer.alloc(1_024)));
  await until(() => acceptor.frames(RESET | 0x80).length === 1);
  t.equal(decodeReason(acceptor.frames(RESET | 0x80)[0]?.data as Buffer), 'overflow');
});

// The opener

/** A client with a forward, whose server is the test. */
class Client {
  readonly world: World;
  readonly channels = channelPair({ capacity: 2_000, burst: 2_000 });
  readonly peer: RawPeer;
  forward!: LocalForward;

  constructor(t: Test) {
    this.world = new World(t);
    this.peer = new RawPeer(this.channels.server);
  }

  static async start(t: Test): Promise<Client> {
    const client = new Client(t);
    const service = client.world.service();
    service.attach(client.channels.client);
    const spec = localSpec({ host: 'h', port: 1 });
    client.forward = (await service.forward(client.channels.client.peerId, spec)) as LocalForward;
    return client;
  }

  answer(version = VERSION, initialWindow = 65_536): void {
    this.peer.send(encodeFrame(PONG, 0, encodeHello({ kind: 'answer', version, initialWindow })));
  }

  frames(type: number): Frame[] {
    return framesOf(this.peer).filter((frame) => frame.type === type);
  }

  bytesIn(type: number): Buffer {
    return Buffer.concat(this.frames(type).map((frame) => (type === EARLY ? decodeEarly(frame) : frame.data)));
  }

  /** @returns the forward id of a request, once it is here */
  async requested(index = 0): Promise<number> {
    await until(() => this.frames(REQUEST_TUNNEL).length > index);
    return decodeForwardId(this.frames(REQUEST_TUNNEL)[index] as Frame) as number;
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('what a program sends follows its request, up to 16 KiB, and the rest follows the ack', async (t) => {
  const client = await Client.start(t);
  const socket = await client.world.connect(client.forward.port);
  const all = bytes(100_000);
  socket.write(all);
  const forwardId = await client.requested();
  await client.settled();
  t.equal(client.frames(EARLY).length, 0, 'none before the peer is known');
  client.answer();
  await until(() => client.bytesIn(EARLY).length === MAX_EARLY);
  t.ok(client.frames(EARLY).every((frame) => decodeForwardId(frame) === forwardId));
  await client.settled();
  t.equal(client.bytesIn(EARLY).length, MAX_EARLY, 'and no more');
  client.peer.send(encodeAck(9, forwardId));
  await until(() => client.bytesIn(TCP).length >= 65_536 - MAX_EARLY - 1_437);
  await client.settled();
  t.ok(client.bytesIn(TCP).length <= 65_536 - MAX_EARLY, 'early data counts against the credit');
  client.peer.send(encodeFrame(WINDOW | 0x80, 9, Buffer.from([0, 1, 0, 0])));
  await until(() => client.bytesIn(TCP).length === all.length - MAX_EARLY);
  t.ok(Buffer.concat([client.bytesIn(EARLY), client.bytesIn(TCP)]).equals(all));
});

t.test(
  'what a program sends behind its request to a proxy is early data, and its answer follows the ack',
  async (t) => {
    const client = new Client(t);
    const service = client.world.service();
    service.attach(client.channels.client);
    const at = { kind: 'port', bind: '127.0.0.1', port: 0 } as const;
    const proxy = await service.forward(client.channels.client.peerId, { kind: 'dynamic', at, users: undefined });
    const socket = await client.world.connect(proxy.port);
    socket.write('CONNECT example.org:443 HTTP/1.1\r\n\r\nclient hello');
    const forwardId = await client.requested();
    client.answer();
    await until(() => client.bytesIn(EARLY).toString() === 'client hello');
    await client.settled();
    t.equal(socket.bytesRead, 0);
    client.peer.send(encodeAck(9, forwardId));
    client.peer.send(encodeFrame(TCP | 0x80, 9, Buffer.from('server hello')));
    const expected = `${HTTP_GRANTED}server hello`;
    t.equal((await readSome(socket, expected.length)).toString(), expected);
  },
);

t.test('on a later request the early data follows at once', async (t) => {
  const client = await Client.start(t);
  const first = await client.world.connect(client.forward.port);
  client.peer.send(encodeDeny(await client.requested(), 'failed'));
  first.destroy();
  client.answer();
  await client.settled();
  const socket = await client.world.connect(client.forward.port);
  socket.write('GET /');
  const forwardId = await client.requested(1);
  await until(() => client.bytesIn(EARLY).toString() === 'GET /');
  const types = framesOf(client.peer).map(({ type }) => type);
  t.ok(types.lastIndexOf(REQUEST_TUNNEL) < types.indexOf(EARLY));
  client.peer.send(encodeAck(9, forwardId));
  client.peer.send(encodeFrame(TCP | 0x80, 9, Buffer.from('answer')));
  t.equal((await readSome(socket, 6)).toString(), 'answer');
  t.equal(client.frames(TCP).length, 0);
});

for (const version of [1, 0])
  t.test(`a peer ${version === 0 ? 'as upstream' : 'of version 1'} gets no early data`, async (t) => {
    const client = await Client.start(t);
    const socket = await client.world.connect(client.forward.port);
    socket.write('GET /');
    const forwardId = await client.requested();
    if (version > 0) client.answer(version);
    await client.settled();
    client.peer.send(encodeAck(9, forwardId));
    await until(() => client.bytesIn(TCP).toString() === 'GET /');
    t.equal(client.frames(EARLY).length, 0);
  });

t.test('a program that ends its direction before the answer is ended after it', async (t) => {
  const client = await Client.start(t);
  client.answer();
  await client.settled();
  const socket = await client.world.connect(client.forward.port);
  socket.end('GET /');
  const forwardId = await client.requested();
  client.answer();
  await until(() => client.bytesIn(EARLY).toString() === 'GET /');
  await client.settled();
  client.peer.send(encodeAck(9, forwardId));
  await until(() => client.frames(EOF).length === 1);
  client.peer.send(encodeFrame(TCP | 0x80, 9, Buffer.from('answer')));
  client.peer.send(encodeFrame(EOF | 0x80, 9));
  t.equal((await readAll(socket)).toString(), 'answer');
});

t.test('a program that is refused after its early data loses its connection', async (t) => {
  const client = await Client.start(t);
  const socket = await client.world.connect(client.forward.port);
  const end = howItEnds(socket);
  socket.write('GET /');
  const forwardId = await client.requested();
  client.answer();
  await until(() => client.bytesIn(EARLY).toString() === 'GET /');
  client.peer.send(encodeDeny(forwardId, 'connection-refused'));
  t.equal(await end, 'ECONNRESET');
});

t.test('a program that breaks its connection before the answer ends the tunnel of the ack', async (t) => {
  const client = await Client.start(t);
  const socket = await client.world.connect(client.forward.port);
  socket.write('GET /');
  const forwardId = await client.requested();
  client.answer();
  await until(() => client.bytesIn(EARLY).toString() === 'GET /');
  socket.resetAndDestroy();
  await until(() => client.forward.pending === 0);
  client.peer.send(encodeAck(9, forwardId));
  await until(() => client.frames(RESET).length === 1);
  t.equal(client.frames(RESET)[0]?.id, 9);
});

for (const isEarly of [true, false])
  t.test(
    `a request whose link is lost is ${isEarly ? 'not ' : ''}repeated ${isEarly ? 'with' : 'without'} early data`,
    async (t) => {
      const world = new World(t);
      const service = world.service();
      const [first, second] = [channelPair(), channelPair()];
      const peer = new RawPeer(first.server);
      service.attach(first.client);
      const forward = await service.forward(first.client.peerId, localSpec({ host: 'h', port: 1 }));
      const socket = await world.connect(forward.port);
      const end = howItEnds(socket);
      if (isEarly) socket.write('POST /');
      peer.send(encodeFrame(PONG, 0, encodeHello({ kind: 'answer', version: VERSION, initialWindow: 65_536 })));
      await until(() => framesOf(peer).some(({ type }) => type === (isEarly ? EARLY : REQUEST_TUNNEL)));
      const next = new RawPeer(second.server);
      first.client.close();
      service.attach(second.client);
      if (isEarly) t.equal(await end, 'ECONNRESET', 'the target may have had it');
      else await until(() => framesOf(next).some(({ type }) => type === REQUEST_TUNNEL));
      t.equal(framesOf(next).filter(({ type }) => type === REQUEST_TUNNEL).length, isEarly ? 0 : 1);
    },
  );

// Both

t.test('over a channel that is often full nothing is lost, doubled or out of order', async (t) => {
  for (const seed of [71, 72, 73, 74]) {
    const { world, port } = await pairOfOurs(t, (socket) => void socket.pipe(socket), {
      seed,
      refusals: 0.3,
      capacity: 12,
      burst: 3,
    });
    const sizes = [1, 100, 5_000, MAX_EARLY - 1, MAX_EARLY, MAX_EARLY + 1, 40_000, 150_000];
    await Promise.all(
      sizes.map(async (size) => {
        const socket = await world.connect(port);
        const all = world.random.bytes(size);
        const received = readAll(socket);
        const half = Math.floor(size / 2);
        socket.write(all.subarray(0, half));
        if (size % 3 > 0) await new Promise((resolve) => setImmediate(resolve));
        socket.end(all.subarray(half));
        t.ok((await received).equals(all), `${size} bytes, seed ${seed}`);
      }),
    );
  }
});

t.test('a port that the other side opened (-R) has early data, too', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const policy = { mayListen: () => ({ allowed: true }) as const };
  const common = { clock: world.clock, log: silentLogger, descriptors: Number.POSITIVE_INFINITY };
  const server = new TunnelService({ ...common, random: world.random, policy });
  t.teardown(() => server.stop());
  const client = world.service();
  channels.server.isRecording = true;
  client.attach(channels.client, { isServer: true });
  server.attach(channels.server);
  const target = { host: '127.0.0.1', port: await world.target((socket) => void socket.pipe(socket)) };
  const at = { kind: 'port', bind: '127.0.0.1', port: 0 } as const;
  const forward = (await client.forward(channels.client.peerId, { kind: 'reverse', at, target })) as RemoteForward;
  await until(() => forward.remote.state.kind === 'listening');
  const socket = await world.connect(forward.port);
  socket.end('hello');
  t.equal((await readAll(socket)).toString(), 'hello');
  const sent = channels.server.sent.map((packet) => decodeFrame(packet) as Frame);
  t.same(
    sent.filter(({ type }) => type === EARLY).map((frame) => decodeEarly(frame).toString()),
    ['hello'],
  );
});

t.test('a target that ends at once gets what its program sent first', async (t) => {
  const received: Buffer[] = [];
  const { world, port } = await pairOfOurs(t, (socket) => {
    socket.end('hello');
    socket.on('data', (data: Buffer) => received.push(data));
  });
  for (const text of ['one', 'two']) {
    const socket = await world.connect(port);
    socket.end(text);
    t.equal((await readAll(socket)).toString(), 'hello');
  }
  await until(() => Buffer.concat(received).toString() === 'onetwo');
});

t.test('early data counts as sent and received', async (t) => {
  const { world, client, server, port } = await pairOfOurs(t, (socket) => void socket.resume());
  await world.connect(port);
  await until(() => client.list().length === 1);
  const socket = await world.connect(port);
  socket.write('12345');
  await until(() => client.list().length === 2);
  await until(() => server.list()[1]?.bytesReceived === 5);
  t.equal(client.list()[1]?.bytesSent, 5);
});
