import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FloodLog } from '../../../src/base/flood-log.js';
import type { BindLookup } from '../../../src/base/host-listener.js';
import { silentLogger } from '../../../src/base/logger.js';
import { LocalForward, type LocalForwardDeps } from '../../../src/tunnel/client/local-forward.js';
import type { Opener } from '../../../src/tunnel/client/peer-opener.js';
import { reverseTarget } from '../../../src/tunnel/wire/listen.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { channelPair } from '../support/channel-pair.js';
import { FakeLink } from '../support/fake-link.js';
import { localSpec } from '../support/local-spec.js';
import { howItEnds, until, World } from '../support/world.js';

const target = { host: 'h', port: 1 };

function depsOf(world: World, opener: Opener, more: Partial<LocalForwardDeps> = {}): LocalForwardDeps {
  const { clock } = world;
  const log = more.log ?? silentLogger;
  return { clock, opener, log, floodLog: new FloodLog({ clock, log }), hasRoom: () => true, ...more };
}

t.test('a connection that ends before its tunnel opens is forgotten', async (t) => {
  const world = new World(t);
  const link = new FakeLink();
  const forward = new LocalForward(depsOf(world, link), { spec: localSpec(target) });
  await forward.listen();
  t.teardown(() => forward.close());
  const gone = await world.connect(forward.port);
  await until(() => link.asked.length === 1);
  gone.resetAndDestroy();
  await until(() => {
    world.clock.advance(5_000);
    return link.cancelled === 1;
  });
  const first = await world.connect(forward.port);
  await until(() => link.asked.length === 2);
  forward.close();
  t.equal(await howItEnds(first), 'ECONNRESET', 'when the forward is closed');
  await until(() => link.cancelled === 2);
  world.clock.advance(5_000);
  t.equal(world.clock.pending, 0);
});

t.test(
  'who comes and goes at a full port of a client (-R) does not fill the log, which says what is full',
  async (t) => {
    const world = new World(t);
    const lines: string[] = [];
    const log = { ...silentLogger, warn: (text: string) => void lines.push(text) };
    let isFull = false;
    const whyFull = (): string => 'this client may have 1 tunnel (--max-tunnels)';
    const deps = depsOf(world, new FakeLink(), { log, hasRoom: () => !isFull });
    const forward = new LocalForward(deps, { spec: localSpec(reverseTarget(7)), whyFull });
    await forward.listen();
    t.teardown(() => forward.close());
    for (let count = 0; count < 300; count += 1) {
      isFull = true;
      // It may be reset before it is established.
      await new Promise((resolve) => void connect(forward.port, '127.0.0.1').on('error', resolve).on('close', resolve));
      isFull = false;
      const before = forward.pending;
      const socket = await world.connect(forward.port);
      await until(() => forward.pending > before);
      socket.destroy();
    }
    t.equal(lines[0], `127.0.0.1:${forward.port}: this client may have 1 tunnel (--max-tunnels)`);
    t.ok(lines.length <= 200, `${lines.length} lines`);
  },
);

t.test(
  'at a Unix socket, too, a connection that ends before its tunnel opens is forgotten, and half of it is not',
  async (t) => {
    const world = new World(t);
    const link = new FakeLink();
    const path = join(temporaryDirectory(t), 'a.sock');
    const spec = { kind: 'local', at: { kind: 'unix', path }, target } as const;
    const forward = new LocalForward(depsOf(world, link), { spec });
    await forward.listen();
    t.teardown(() => forward.close());
    const [gone, half] = [connect({ path, allowHalfOpen: true }), connect({ path, allowHalfOpen: true })];
    t.teardown(() => half.destroy());
    half.end('the last word');
    await until(() => link.asked.length === 2);
    gone.destroy();
    await until(() => {
      world.clock.advance(5_000);
      return link.cancelled === 1;
    });
    world.clock.advance(5_000);
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(forward.pending, 1);
    t.strictSame(forward.at, spec.at);
  },
);

t.test('refused connections fill the log up to a bound, and are counted beyond it', async (t) => {
  const world = new World(t);
  const lines: string[] = [];
  const log = { ...silentLogger, warn: (text: string) => void lines.push(text) };
  const opener: Opener = {
    terms: 'extended',
    open: (_target, { onRefused }) => {
      onRefused('peer-offline');
      return () => {};
    },
  };
  const forward = new LocalForward(depsOf(world, opener, { log }), { spec: localSpec(target) });
  await forward.listen();
  t.teardown(() => forward.close());
  for (let count = 0; count < 300; count += 1) {
    const socket = connect({ host: '127.0.0.1', port: forward.port }).on('error', () => {});
    await new Promise((resolve) => socket.once('close', resolve));
  }
  t.equal(lines.length, 200);
  world.clock.advance(60_000);
  t.match(lines.slice(200), [/also 100 connections refused$/]);
});

t.test('connections made while the peer is offline get their tunnels when it comes online', async (t) => {
  const world = new World(t);
  const channels = channelPair();
  const client = world.service();
  const server = world.service();
  const port = await world.target((socket) => void socket.end('hello'));
  const spec = localSpec({ host: '127.0.0.1', port });
  const forward = await client.forward(channels.client.peerId, spec);
  const early = await world.connect(forward.port);
  const late = await world.connect(forward.port);
  const late2 = howItEnds(late);
  server.attach(channels.server);
  client.attach(channels.client);
  t.equal(await howItEnds(early), 'ended');
  t.equal(await late2, 'ended');
});

t.test('a connection is reset when the peer does not come online', async (t) => {
  const world = new World(t);
  const client = world.service();
  const forward = await client.forward('away', localSpec(target));
  const socket = await world.connect(forward.port);
  const ending = howItEnds(socket);
  await until(() => {
    world.clock.advance(10_000);
    return socket.destroyed || socket.errored !== null;
  });
  t.equal(await ending, 'ECONNRESET');
});

/** A forward that listens at a name with these addresses. */
function forwardAt(t: Test, bind: string, port: number, ...addresses: string[]): LocalForward {
  const lookUp: BindLookup = async (host) => {
    if (addresses.length === 0) throw Object.assign(new Error(host), { code: 'ENOTFOUND' });
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  const forward = new LocalForward(depsOf(new World(t), new FakeLink(), { lookUp }), {
    spec: localSpec(target, port, bind),
  });
  t.teardown(() => forward.close());
  return forward;
}

/** Whether the port accepts connections. */
async function isServed(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

t.test('a forward listens on every address of a name, at one port, until it is closed', async (t) => {
  const local = forwardAt(t, 'here', 0, '127.0.0.1', '127.0.0.2', '127.0.0.1');
  await local.listen();
  const port = local.port;
  t.same([await isServed('127.0.0.1', port), await isServed('127.0.0.2', port)], [true, true]);
  t.equal(await isServed('127.0.0.3', port), false);
  local.close();
  t.same([await isServed('127.0.0.1', port), await isServed('127.0.0.2', port)], [false, false]);
});

t.test('localhost is both 127.0.0.1 and ::1, whatever the resolver answers', async (t) => {
  const local = forwardAt(t, 'localhost', 0);
  await local.listen();
  const port = local.port;
  t.same([await isServed('127.0.0.1', port), await isServed('::1', port)], [true, true]);
});

t.test('addresses that this machine does not have are left out, and one address is enough', async (t) => {
  const local = forwardAt(t, 'here', 0, '2001:db8::1', '127.0.0.1', '192.0.2.1');
  await local.listen();
  t.equal(await isServed('127.0.0.1', local.port), true);
  await t.rejects(forwardAt(t, 'there', 0, '2001:db8::1', '192.0.2.1').listen(), {
    code: 'no-such-address',
    message: /has no address there/,
  });
});

t.test('an address where another program listens is an error, and then the forward listens nowhere', async (t) => {
  const other = createServer().listen(0, '127.0.0.2');
  t.teardown(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const local = forwardAt(t, 'here', port, '127.0.0.1', '127.0.0.2');
  await t.rejects(local.listen(), { code: 'address-in-use', message: /of 127\.0\.0\.2 .*choose another/ });
  t.equal(await isServed('127.0.0.1', port), false);
});

t.test('a port that cannot be listened on is an error with advice', async (t) => {
  const port = await new World(t).target(() => {});
  await t.rejects(forwardAt(t, '127.0.0.1', port).listen(), { code: 'address-in-use', message: /choose another/ });
  await t.rejects(forwardAt(t, '192.0.2.1', 0).listen(), { code: 'no-such-address', message: /192\.0\.2\.1/ });
  await t.rejects(forwardAt(t, 'nowhere', 0).listen(), { code: 'no-such-address', message: /nowhere/ });
});
