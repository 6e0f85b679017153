/** -R: ports of a server that lead to targets of a client, over a channel between our peers. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import type { RemotePortState } from '../../src/tunnel/client/forward-spec.js';
import type { RemoteForward } from '../../src/tunnel/client/remote-forward.js';
import type { MayListen } from '../../src/tunnel/server/client-ports.js';
import { TcpDialer } from '../../src/tunnel/server/tcp-dialer.js';
import { TunnelService } from '../../src/tunnel/tunnel-service.js';
import { encodeFrame } from '../../src/tunnel/wire/frame.js';
import { encodeHello } from '../../src/tunnel/wire/hello.js';
import { encodeListen, encodeUnlisten } from '../../src/tunnel/wire/listen.js';
import type { Target } from '../../src/tunnel/wire/target.js';
import { SeededRandom } from '../support/seeded-random.js';
import { channelPair, TestChannel } from './support/channel-pair.js';
import { UpstreamPeer } from './support/upstream-peer.js';
import { howItEnds, nextClosed, readAll, until, World } from './support/world.js';

const echo = (socket: Socket): void => void socket.pipe(socket);
const allowed: MayListen = () => ({ allowed: true });

class Peers {
  readonly world: World;
  readonly server: TunnelService;
  readonly client: TunnelService;
  channels = channelPair();
  readonly lines: string[] = [];
  readonly dialed: Target[] = [];

  /** @param mayListen of the server */
  constructor(t: Test, mayListen: MayListen = allowed) {
    this.world = new World(t);
    const { clock } = this.world;
    const log = { ...silentLogger, info: (text: string) => void this.lines.push(text), child: () => silentLogger };
    const common = { clock, descriptors: Number.POSITIVE_INFINITY };
    this.server = new TunnelService({ ...common, random: new SeededRandom(1), log, policy: { mayListen } });
    const tcp = new TcpDialer(clock);
    const dialer = {
      dial: (...[peerId, target, handlers]: Parameters<TcpDialer['dial']>) => {
        this.dialed.push(target);
        return tcp.dial(peerId, target, handlers);
      },
    };
    this.client = new TunnelService({ ...common, random: new SeededRandom(1), log, dialer });
    t.teardown(() => {
      this.client.stop();
      this.server.stop();
    });
    this.connect();
  }

  get serverId(): string {
    return this.channels.client.peerId;
  }

  connect(): void {
    this.channels = channelPair();
    this.server.attach(this.channels.server);
    this.client.attach(this.channels.client, { isServer: true });
  }

  async reverse(target: Target, port = 0, bind: string | undefined = '127.0.0.1'): Promise<RemoteForward> {
    const spec = { kind: 'reverse', at: { kind: 'port', bind, port }, target } as const;
    return (await this.client.forward(this.serverId, spec)) as RemoteForward;
  }

  /** A forward that listens, to an echo. */
  async listening(onConnection = echo, port = 0): Promise<RemoteForward> {
    const target = { host: '127.0.0.1', port: await this.world.target(onConnection) };
    const forward = await this.reverse(target, port);
    await until(() => forward.remote.state.kind === 'listening');
    return forward;
  }
}

const kindsOf = (forward: RemoteForward): string[] => {
  const kinds: string[] = [];
  forward.remote.watch((state: RemotePortState) => void kinds.push(state.kind === 'refused' ? state.code : state.kind));
  return kinds;
};

/** A program of this machine that has a port. */
async function occupy(t: Test): Promise<{ readonly port: number; readonly free: () => Promise<void> }> {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const free = async (): Promise<void> => {
    if (!other.listening) return;
    other.close();
    await once(other, 'close');
  };
  t.teardown(free);
  return { port: (other.address() as AddressInfo).port, free };
}

function isOpen(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  return new Promise((resolve) => {
    socket
      .once('error', () => resolve(false))
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      });
  });
}

t.test('a connection at the port of the server reaches the target of the client, and ends as that does', async (t) => {
  const peers = new Peers(t);
  const forward = await peers.listening();
  const socket = await peers.world.connect(forward.port);
  socket.end('hello');
  t.equal((await readAll(socket)).toString(), 'hello');
  await until(() => peers.server.list().length + peers.client.list().length === 0);
  t.match(forward.traffic, { open: 0, total: 1, bytesSent: 5, bytesReceived: 5 });
  t.match(
    peers.lines.map((line) => line.replaceAll(String(forward.port), 'PORT')),
    [
      'c1c1c1c1: 127.0.0.1:PORT is open for it (-R)',
      'c1c1c1c1: tunnel from 127.0.0.1:PORT (-R) opened',
      'c1c1c1c1: tunnel from 127.0.0.1:PORT (-R) ended, 5 B in, 5 B out',
    ],
  );
});

t.test('both sides list the port and its connections as those of the client', async (t) => {
  const peers = new Peers(t);
  const forward = await peers.listening();
  const { port } = forward;
  await peers.world.connect(port);
  await until(() => peers.server.list().length === 1);
  const listener = { bind: '127.0.0.1', port };
  const clientId = peers.channels.server.peerId;
  t.match(peers.server.openPorts(), [{ number: 1, peerId: clientId, target: { host: '127.0.0.1', port }, age: 0 }]);
  t.match(peers.server.list(), [{ number: 2, peerRole: 'client', listener, target: { host: '127.0.0.1', port } }]);
  t.match(peers.client.list(), [{ peerRole: 'server', listener: { bind: '127.0.0.1' }, target: forward.spec.target }]);
  t.same(peers.client.openPorts(), []);
});

t.test('a hundred connections at once each have a tunnel of their own', async (t) => {
  const peers = new Peers(t);
  const { port } = await peers.listening();
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const socket = await peers.world.connect(port);
      socket.end(`hello ${index}`);
      return (await readAll(socket)).toString();
    }),
  );
  t.same(
    answers,
    answers.map((_, index) => `hello ${index}`),
  );
});

t.test('in the next session the server is asked again, and where it chose the port, for the same one', async (t) => {
  const peers = new Peers(t);
  const forward = await peers.listening();
  const { port } = forward;
  const kinds = kindsOf(forward);
  peers.channels.client.close();
  t.notOk(await isOpen(port), 'closed with the session');
  t.same(peers.server.openPorts(), []);
  peers.connect();
  await until(() => kinds.length === 3);
  t.same(kinds, ['listening', 'asking', 'listening']);
  t.equal(forward.port, port);
  peers.channels.client.close();
  const other = createServer().listen(port, '127.0.0.1');
  t.teardown(() => other.close());
  await once(other, 'listening');
  peers.connect();
  await until(() => kinds.length === 5);
  t.not(forward.port, port, 'any other, when another program has it by then');
});

t.test('a port that another program has is asked for again, and is opened when it becomes free', async (t) => {
  const peers = new Peers(t);
  const { port, free } = await occupy(t);
  const forward = await peers.reverse({ host: '127.0.0.1', port: 9 }, port);
  const kinds = kindsOf(forward);
  await until(() => kinds.length === 2);
  peers.world.clock.advance(2_000);
  await until(() => kinds.length === 3);
  t.same(kinds, ['asking', 'address-in-use', 'address-in-use']);
  const message = `127.0.0.1:${port} of the server: another program of the server has that port: choose another one, or 0 for any`;
  t.match(forward.remote.state, { message });
  await free();
  peers.world.clock.advance(4_000);
  await until(() => kinds.length === 4);
  t.equal(kinds.at(-1), 'listening');
});

t.test('without permission the port is refused, and opened soon after the owner permits it', async (t) => {
  let isAllowed = false;
  const asked: unknown[] = [];
  const peers = new Peers(t, (peerId, place) => {
    asked.push([peerId, place]);
    return isAllowed ? { allowed: true } : { allowed: false, reason: 'not in its entry' };
  });
  const refused: unknown[] = [];
  peers.server.on('port-refused', (...refusal) => refused.push(refusal));
  const forward = await peers.reverse({ host: '127.0.0.1', port: 9 }, 0, 'LOCALHOST.');
  const kinds = kindsOf(forward);
  await until(() => kinds.length === 2);
  t.same(kinds, ['asking', 'not-allowed']);
  const clientId = peers.channels.server.peerId;
  const place = { bind: 'localhost', port: 0 };
  t.same(asked, [[clientId, place]], 'the policy is asked for one spelling');
  t.same(refused, [[clientId, place, 'not-allowed', 'not in its entry']]);
  t.ok(peers.lines.includes('c1c1c1c1: localhost:0 not opened: not in its entry'));
  isAllowed = true;
  peers.world.clock.advance(2_000);
  await until(() => kinds.length === 3);
  t.equal(kinds[2], 'listening');
});

t.test(
  'when the permission is taken away, the port is closed in the same turn, and a transfer at it is broken',
  async (t) => {
    let isAllowed = true;
    const peers = new Peers(t, () => (isAllowed ? { allowed: true } : { allowed: false, reason: 'not any more' }));
    const forward = await peers.listening((socket) => {
      const timer = setInterval(() => socket.write(Buffer.alloc(1000)), 1);
      socket.on('error', () => {}).on('close', () => clearInterval(timer));
    });
    const socket = await peers.world.connect(forward.port);
    await once(socket, 'data');
    const end = howItEnds(socket);
    const closed = nextClosed(peers.server);
    isAllowed = false;
    peers.server.review();
    t.same(peers.server.openPorts(), []);
    t.equal(await closed, 'not-allowed');
    t.equal(await end, 'ECONNRESET');
    t.notOk(await isOpen(forward.port));
    await until(() => forward.remote.state.kind === 'refused');
    t.match(forward.remote.state, { code: 'not-allowed' });
  },
);

t.test('a connection outlives its port when the client ends the forward, until the permission ends', async (t) => {
  let isAllowed = true;
  const peers = new Peers(t, () => (isAllowed ? { allowed: true } : { allowed: false, reason: 'not any more' }));
  const forward = await peers.listening();
  const socket = await peers.world.connect(forward.port);
  await until(() => peers.server.list().length === 1);
  forward.close();
  await until(() => peers.server.openPorts().length === 0);
  socket.write('x');
  const [answer] = await once(socket, 'data');
  t.equal(String(answer), 'x');
  const end = howItEnds(socket);
  isAllowed = false;
  peers.server.review();
  t.equal(await end, 'ECONNRESET');
});

t.test('a forward that is aborted takes its connections with it', async (t) => {
  const peers = new Peers(t);
  const forward = await peers.listening();
  const socket = await peers.world.connect(forward.port);
  await until(() => peers.client.list().length === 1);
  forward.abort();
  t.equal(await howItEnds(socket), 'ECONNRESET');
  await until(() => peers.server.openPorts().length === 0);
});

t.test('a port that the owner closes is not asked for again before the next session', async (t) => {
  const peers = new Peers(t);
  const forward = await peers.listening();
  const socket = await peers.world.connect(forward.port);
  await until(() => peers.server.list().length === 1);
  const kinds = kindsOf(forward);
  const end = howItEnds(socket);
  t.ok(peers.server.closeTunnel(peers.server.openPorts()[0]?.number as number));
  t.equal(await end, 'ECONNRESET');
  await until(() => kinds.length === 2);
  peers.world.clock.advance(600_000);
  await peers.client.links.ping(peers.serverId);
  t.same(kinds, ['listening', 'closed-by-owner']);
  peers.channels.client.close();
  peers.connect();
  await until(() => forward.remote.state.kind === 'listening');
});

t.test('a client that is disconnected loses its ports in the same turn', async (t) => {
  const peers = new Peers(t);
  const forward = await peers.listening();
  peers.server.closePeer(peers.channels.server.peerId, 'client');
  t.same(peers.server.openPorts(), []);
  t.notOk(await isOpen(forward.port));
});

t.test('a client that is disconnected while its port is being opened does not get it', async (t) => {
  let asked = 0;
  const peers: Peers = new Peers(t, () => {
    asked += 1;
    // A peer that is our server as well keeps its channel.
    queueMicrotask(() => peers.server.closePeer(peers.channels.server.peerId, 'client'));
    return { allowed: true };
  });
  const forward = await peers.reverse({ host: '127.0.0.1', port: 9 });
  await until(() => forward.remote.state.kind === 'refused');
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  t.same(peers.server.openPorts(), []);
  t.equal(asked, 1);
});

t.test('a server can reach nothing of the client but the targets of the ports that it has open for it', async (t) => {
  const peers = new Peers(t);
  const forward = await peers.listening();
  const clientId = peers.channels.server.peerId;
  peers.channels.server.isRecording = true;
  await peers.world.connect(forward.port);
  await until(() => peers.dialed.length === 1);
  const request = peers.channels.server.sent.find((packet) => packet.readUInt16BE(2) === 0x0602) as Buffer;
  const own = request.subarray(12).toString();
  t.match(own, /^\?reverse:[0-9]+$/);
  const refusals: string[] = [];
  const ask = (host: string, port: number): Promise<string> =>
    new Promise((resolve) => {
      peers.server
        .opener(clientId)
        .open(
          { host, port },
          { onAccepted: () => resolve('accepted') as never, onRefused: (reason) => resolve(reason) },
        );
    });
  for (const [host, port] of [
    ['127.0.0.1', forward.target.port],
    ['localhost', 22],
    ['?reverse:0', 0],
    ['?reverse:', 0],
    [`${own}0`, 0],
    [own, forward.target.port],
    ['?source', 0],
    ['/run/docker.sock', 0],
  ] as const)
    refusals.push(await ask(host, port));
  t.same(refusals, Array(8).fill('not-allowed'));
  forward.close();
  await until(() => peers.server.openPorts().length === 0);
  t.equal(await ask(own, 0), 'not-allowed', 'its id, when the port is closed');
  t.equal(peers.dialed.length, 1);
});

t.test('another server cannot use the port of this one', async (t) => {
  const peers = new Peers(t);
  const forward = await peers.listening();
  peers.channels.server.isRecording = true;
  await peers.world.connect(forward.port);
  await until(() => peers.dialed.length === 1);
  const request = peers.channels.server.sent.find((packet) => packet.readUInt16BE(2) === 0x0602) as Buffer;
  const host = request.subarray(12).toString();
  const evil = new TestChannel('e1'.repeat(32), new SeededRandom(3), {});
  const channel = new TestChannel('e2'.repeat(32), new SeededRandom(4), {});
  TestChannel.connect(evil, channel);
  peers.client.attach(channel, { isServer: true });
  const other = peers.world.service();
  other.attach(evil);
  const answer = await new Promise((resolve) => {
    const handlers = { onAccepted: () => resolve('accepted') as never, onRefused: resolve };
    other.opener(evil.peerId).open({ host, port: 0 }, handlers);
  });
  t.equal(answer, 'not-allowed');
  t.equal(peers.dialed.length, 1);
});

t.test('an original tuntox is asked for no port, and one line says why', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const upstream = new UpstreamPeer(channels.server, 'server', world.random);
  const client = world.service();
  client.attach(channels.client, { isServer: true });
  const spec = {
    kind: 'reverse',
    at: { kind: 'port', bind: 'localhost', port: 80 },
    target: { host: 'a', port: 1 },
  } as const;
  const forward = (await client.forward(channels.client.peerId, spec)) as RemoteForward;
  await until(() => forward.remote.state.kind === 'refused');
  t.match(forward.remote.state, {
    code: 'no-reverse',
    message:
      'localhost:80 of the server: the server is an original tuntox, which has no -R: have its owner install this tuntox there',
  });
  world.clock.advance(600_000);
  await client.links.ping(channels.client.peerId);
  t.ok(
    upstream.types.every((type) => type === 0x0108),
    'nothing but pings',
  );
});

t.test('a server that does not answer is asked again', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const types: number[] = [];
  const hello = encodeFrame(0x0100, 0, encodeHello({ kind: 'answer', version: 1, initialWindow: 65536, services: [] }));
  channels.server.receive({
    onPacket: (packet) => {
      types.push(packet.readUInt16BE(2));
      if (packet.readUInt16BE(2) === 0x0108) channels.server.send(hello);
    },
    onLossy: () => {},
    onDrain: () => {},
    onClose: () => {},
  });
  const client = world.service();
  client.attach(channels.client, { isServer: true });
  const spec = {
    kind: 'reverse',
    at: { kind: 'port', bind: 'localhost', port: 80 },
    target: { host: 'a', port: 1 },
  } as const;
  const forward = (await client.forward(channels.client.peerId, spec)) as RemoteForward;
  await until(() => types.includes(0x0630));
  world.clock.advance(30_000);
  t.match(forward.remote.state, { kind: 'refused', code: 'no-answer' });
  await until(() => types.includes(0x0632));
  world.clock.advance(2_000);
  await until(() => types.filter((type) => type === 0x0630).length === 2);
});

t.test('a peer has at most 32 ports, and frames without sense open none', async (t) => {
  const peers = new Peers(t);
  const { channels } = peers;
  const raw = channelPair({ seed: 5, capacity: 1000 });
  Object.defineProperty(raw.server, 'peerId', { value: 'd2'.repeat(32) });
  const answers = new Map<number, number>();
  raw.client.receive({
    onPacket: (packet) => {
      const type = packet.readUInt16BE(2);
      if (type === 0x0604) answers.set(packet.readUInt32BE(8), packet.readUInt16BE(12));
      if (type === 0x0631) answers.set(packet.readUInt32BE(8), 0);
    },
    onLossy: () => {},
    onDrain: () => {},
    onClose: () => {},
  });
  peers.server.attach(raw.server);
  const place = { bind: '127.0.0.1', port: 0 };
  raw.client.send(encodeListen(999, place));
  raw.client.send(encodeFrame(0x0108, 0, encodeHello({ kind: 'hello', version: 1, initialWindow: 65536 })));
  for (let id = 0; id < 40; id += 1) raw.client.send(encodeListen(id, place));
  raw.client.send(encodeListen(0, place));
  raw.client.send(encodeFrame(0x0630, 80, Buffer.from([0, 0, 0, 50, 0x20])));
  raw.client.send(encodeFrame(0x0630, 80, Buffer.alloc(3)));
  raw.client.send(encodeFrame(0x0632, 0, Buffer.alloc(1)));
  raw.client.send(encodeFrame(0x06b2, 0, Buffer.alloc(2)));
  raw.client.send(encodeFrame(0x0631, 80, Buffer.alloc(4)));
  await until(() => answers.size === 41 && peers.server.openPorts().length === 32);
  t.notOk(answers.has(999), 'one that comes before the hello is dropped');
  t.equal([...answers.values()].filter((answer) => answer === 23).length, 8, 'too many');
  t.equal(answers.get(50), 7, 'an address that cannot be read');
  t.same(
    peers.server.openPorts().filter(({ peerId }) => peerId === channels.server.peerId),
    [],
  );
  raw.client.send(encodeUnlisten(3, 'opener', 'closed-by-owner'));
  await until(() => peers.server.openPorts().length === 31);
  raw.client.close();
  t.same(peers.server.openPorts(), []);
});

t.test('a stopped server has no port open, also one that was being opened', async (t) => {
  const peers = new Peers(t);
  const forward = await peers.listening();
  const second = await peers.reverse({ host: '127.0.0.1', port: 9 });
  peers.server.stop();
  t.notOk(await isOpen(forward.port));
  await new Promise((resolve) => setImmediate(resolve));
  t.same(peers.server.openPorts(), []);
  t.not(second.remote.state.kind, 'listening');
});
