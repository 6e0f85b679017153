/** Both roles of ours, over a channel that refuses, delays and bursts at random. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import type { Dialer, DialHandlers } from '../../src/tunnel/server/dialer.js';
import { SeededRandom } from '../support/seeded-random.js';
import { localSpec } from './support/local-spec.js';
import { howItEnds, nextClosed, pairOfOurs, readAll, readSome, until } from './support/world.js';

const faulty = { capacity: 20, refusals: 0.05, burst: 16 };
const echo = (socket: Socket): void => void socket.pipe(socket);

t.test('bytes arrive unchanged in both directions', async (t) => {
  const { world, client, server, port } = await pairOfOurs(t, echo, { ...faulty, seed: 11 });
  const bytes = world.random.bytes(3_000_000);
  const socket = await world.connect(port);
  socket.end(bytes);
  t.ok((await readAll(socket)).equals(bytes));
  await until(() => client.list().length === 0 && server.list().length === 0);
  t.match(client.links.list(), [{ terms: 'extended', tunnels: 0 }]);
});

t.test('the first request follows the hello at once, and the tunnel is extended', async (t) => {
  const { world, channels, port } = await pairOfOurs(t, echo);
  channels.client.isRecording = true;
  channels.client.isStalled = true;
  const socket = await world.connect(port);
  await until(() => channels.client.sent.length === 2);
  t.same(
    channels.client.sent.map((packet) => packet.readUInt16BE(2)),
    [0x0108, 0x0602],
  );
  channels.client.resume();
  socket.end('x');
  t.equal((await readAll(socket)).toString(), 'x');
  const types = channels.client.sent.map((packet) => packet.readUInt16BE(2));
  t.ok(types.includes(0x0621), 'it ended with eof');
});

t.test('200 connections at once, ended in any order by either side, keep their bytes separate', async (t) => {
  const ends = new SeededRandom(5);
  const { world, client, server, port } = await pairOfOurs(
    t,
    (socket) => {
      // Some targets echo and wait for the end, some answer once and end first, and some of those read nothing more.
      const kind = ends.below(3);
      if (kind === 0) echo(socket);
      else socket.once('data', (data) => (kind === 1 ? socket.end(data) : void socket.write(data, () => socket.end())));
    },
    { ...faulty, seed: 12 },
  );
  const one = async (index: number): Promise<void> => {
    const random = new SeededRandom(1000 + index);
    const bytes = random.bytes(1 + random.below(1000));
    const socket = await world.connect(port);
    socket.write(bytes);
    const back = await readSome(socket, bytes.length);
    if (!back.equals(bytes)) t.fail(`connection ${index}: ${back.length} of ${bytes.length} bytes`);
    if (random.below(2) === 0) socket.end();
    else socket.destroy();
  };
  await Promise.all(Array.from({ length: 200 }, (_, index) => one(index)));
  await until(() => client.list().length === 0 && server.list().length === 0);
  t.pass();
});

t.test('a program that has ended its direction still gets its answer, however late', async (t) => {
  const { world, port } = await pairOfOurs(t, (socket) => {
    socket.resume().once('end', () => {
      world.clock.advance(3_600_000);
      socket.end('the answer');
    });
  });
  const socket = await world.connect(port);
  socket.end('the question');
  t.equal((await readAll(socket)).toString(), 'the answer');
});

t.test('a service that has ended its direction still gets the rest', async (t) => {
  let received: Promise<Buffer> | undefined;
  const { world, port } = await pairOfOurs(t, (socket) => {
    socket.end('go on');
    received = readAll(socket);
  });
  const socket = await world.connect(port);
  t.equal((await readAll(socket)).toString(), 'go on');
  world.clock.advance(3_600_000);
  socket.end('the rest');
  await until(() => received !== undefined);
  t.equal((await received)?.toString(), 'the rest');
});

t.test('a refused target resets the connection at once, with its reason', async (t) => {
  const { world, client, port, target, serverId } = await pairOfOurs(t, echo);
  const refusals: string[] = [];
  const ask = (host: string, at: number): Promise<string> =>
    new Promise((resolve) => {
      client.opener(serverId).open(
        { host, port: at },
        {
          onAccepted: () => {
            throw new Error('accepted');
          },
          onRefused: resolve,
        },
      );
    });
  const unused = await world.target(() => {});
  t.ok(unused);
  refusals.push(await ask('127.0.0.1', 1));
  refusals.push(await ask('no host', 80));
  t.same(refusals, ['connection-refused', 'bad-request']);
  const socket = await world.connect(port);
  socket.end('still');
  t.equal((await readAll(socket)).toString(), 'still', `and ${target.port} works on`);
});

t.test('a target that is not allowed is not connected to, and the local connection is reset', async (t) => {
  let connections = 0;
  const { world, server, port } = await pairOfOurs(
    t,
    () => {
      connections += 1;
    },
    {
      mayReach: () => ({ allowed: false, reason: 'line 3 of the rules' }),
    },
  );
  const refused = once(server, 'refused');
  const socket = await world.connect(port);
  t.equal(await howItEnds(socket), 'ECONNRESET');
  const [, , reason, detail] = await refused;
  t.same([reason, detail], ['not-allowed', 'line 3 of the rules']);
  t.equal(connections, 0);
});

t.test('the connection goes to the address that was allowed', async (t) => {
  const asked: (string | undefined)[] = [];
  const { world, client, server, target, serverId } = await pairOfOurs(t, (socket) => void socket.end('hello'), {
    mayReach: (_peer, _target, { address } = {}) => {
      asked.push(address);
      return address === undefined || address === '127.0.0.1'
        ? { allowed: true }
        : { allowed: false, reason: 'denied' };
    },
  });
  const spec = localSpec({ host: 'localhost', port: target.port });
  const named = await client.forward(serverId, spec);
  const socket = await world.connect(named.port);
  const opened = once(server, 'opened');
  t.equal((await readAll(socket)).toString(), 'hello');
  t.match(await opened, [{ remoteAddress: '127.0.0.1' }]);
  t.same(
    asked,
    [undefined, '::1', '127.0.0.1', '127.0.0.1'],
    'before the lookup, for each address, and once connected',
  );
});

t.test('a name whose addresses are all denied is refused with the rule that denied them', async (t) => {
  const { world, client, server, target, serverId } = await pairOfOurs(t, echo, {
    mayReach: (_peer, _target, { address } = {}) => {
      return address === undefined ? { allowed: true } : { allowed: false, reason: 'line 2: deny class:loopback:0' };
    },
  });
  const spec = localSpec({ host: '127.1', port: target.port });
  const named = await client.forward(serverId, spec);
  const refused = once(server, 'refused');
  const socket = await world.connect(named.port);
  t.equal(await howItEnds(socket), 'ECONNRESET');
  t.match(await refused, [/./, {}, 'not-allowed', 'line 2: deny class:loopback:0']);
});

t.test('access that is revoked while the target is being connected to is refused', async (t) => {
  let asked = 0;
  const { world, port } = await pairOfOurs(t, (socket) => void socket.write('secret'), {
    mayReach: () => {
      asked += 1;
      return asked === 1 ? { allowed: true } : { allowed: false, reason: 'expired' };
    },
  });
  t.equal(await howItEnds(await world.connect(port)), 'ECONNRESET');
});

t.test('a slow reader stops only its own tunnel', async (t) => {
  let sent = 0;
  const stalled: Socket[] = [];
  const { world, client, port } = await pairOfOurs(t, (socket) => {
    socket.once('data', (first) => {
      if (first.toString() !== 'flood') {
        socket.end(first);
        return;
      }
      stalled.push(socket);
      const more = (): void => {
        while (socket.write(Buffer.alloc(65536))) sent += 65536;
        sent += 65536;
        socket.once('drain', more);
      };
      more();
    });
  });
  const slow = await world.connect(port);
  slow.write('flood');
  await until(() => (client.list()[0]?.backlog ?? 0) > 100_000);
  let sentBefore = -1;
  while (sentBefore !== sent) {
    sentBefore = sent;
    for (let round = 0; round < 20; round += 1) {
      const socket = await world.connect(port);
      socket.end('quick');
      t.equal((await readAll(socket)).toString(), 'quick');
    }
  }
  t.ok((client.list()[0]?.backlog ?? 0) <= 16 * 1024 * 1024, 'waiting data is bounded by the largest window');
  slow.destroy();
  await until(() => client.list().length === 0);
});

t.test('a reset at one end becomes a reset at the other', async (t) => {
  let atTarget: Socket | undefined;
  const { world, client, server, port } = await pairOfOurs(t, (socket) => {
    atTarget = socket;
    socket.write('hi');
  });
  const first = await world.connect(port);
  await once(first, 'data');
  const ending = howItEnds(atTarget as Socket);
  first.resetAndDestroy();
  t.equal(await ending, 'ECONNRESET');
  const second = await world.connect(port);
  await once(second, 'data');
  (atTarget as Socket).resetAndDestroy();
  t.equal(await howItEnds(second), 'ECONNRESET');
  await until(() => client.list().length === 0 && server.list().length === 0);
});

t.test('a reset with unread bytes is not an orderly end', async (t) => {
  for (const isEnded of [false, true]) {
    const { world, channels, client, server, port } = await pairOfOurs(t, (socket) => void socket.write('hi'));
    const socket = await world.connect(port);
    await once(socket, 'data');
    // Nothing reaches the peer, so eventually the program is not read either.
    channels.client.isStalled = true;
    const bytes = Buffer.alloc(300_000);
    await new Promise<void>((resolve) => {
      if (isEnded) socket.end(bytes, resolve);
      else socket.write(bytes, () => resolve());
    });
    const reasons = [nextClosed(client), nextClosed(server)];
    socket.resetAndDestroy();
    await once(socket, 'close');
    channels.client.resume();
    t.same(await Promise.all(reasons), ['connection-reset', 'connection-reset']);
  }
});

t.test('a reset while the peer reads nothing ends the tunnel and the connection at its other end', async (t) => {
  for (const side of ['client', 'target']) {
    let atTarget: Socket | undefined;
    const { world, client, server, port } = await pairOfOurs(t, (socket) => {
      atTarget = socket;
    });
    const atClient = await world.connect(port);
    await until(() => atTarget !== undefined);
    const [writer, reader] = side === 'client' ? [atClient, atTarget as Socket] : [atTarget as Socket, atClient];
    let isBlocked = false;
    while (!isBlocked) {
      const before = writer.bytesWritten - writer.writableLength;
      writer.write(Buffer.alloc(1024 * 1024));
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      isBlocked = writer.bytesWritten - writer.writableLength === before;
    }
    writer.resetAndDestroy();
    await once(writer, 'close');
    await until(() => {
      world.clock.advance(5_000);
      return client.list().length === 0 && server.list().length === 0;
    });
    await howItEnds(reader);
    t.equal(world.clock.pending, 0, `${side}: no timer is left`);
  }
});

t.test('when the peer goes offline, connections break at both ends', async (t) => {
  let atTarget: Socket | undefined;
  const { world, channels, client, server, port } = await pairOfOurs(t, (socket) => {
    atTarget = socket;
    socket.write('hi');
  });
  const socket = await world.connect(port);
  await once(socket, 'data');
  const endings = [howItEnds(socket), howItEnds(atTarget as Socket)];
  const reasons = [nextClosed(client), nextClosed(server)];
  channels.client.close();
  t.same(await Promise.all(endings), ['ECONNRESET', 'ECONNRESET']);
  t.same(await Promise.all(reasons), ['connection-lost', 'connection-lost']);
  t.same([client.list(), server.list(), client.links.list()], [[], [], []]);
});

t.test('a service that drains lets a transfer finish, and takes no new tunnels', async (t) => {
  const bytes = Buffer.alloc(2_000_000, 7);
  const { world, server, client, port } = await pairOfOurs(t, (socket) => void socket.end(bytes));
  const socket = await world.connect(port);
  await until(() => (server.list()[0]?.bytesSent ?? 0) > 0);
  let isDrained = false;
  void server.drain().then(() => {
    isDrained = true;
  });
  const refused = once(server, 'refused');
  const late = await world.connect(port);
  t.equal(await howItEnds(late), 'ECONNRESET');
  t.match(await refused, [/./, {}, 'shutting-down']);
  socket.end();
  t.ok((await readAll(socket)).equals(bytes));
  t.equal(isDrained, false);
  await until(() => {
    world.clock.advance(250);
    return isDrained;
  });
  t.same([server.list(), client.list()], [[], []]);
});

t.test('a service that stops tells its peers that it is shutting down', async (t) => {
  const { world, server, client, port } = await pairOfOurs(t, echo);
  await world.connect(port);
  await until(() => server.list().length === 1);
  const reasons = [nextClosed(client), nextClosed(server)];
  server.stop();
  t.same(await Promise.all(reasons), ['peer-shutting-down', 'shutting-down']);
});

t.test('both sides may open tunnels over one channel, with the same ids', async (t) => {
  const { world, client, server, channels, port } = await pairOfOurs(t, echo, { ...faulty, seed: 13 });
  const back = await world.target((socket) => void socket.end('from the client'));
  const forward = await server.forward(channels.server.peerId, localSpec({ host: '127.0.0.1', port: back }));
  for (let round = 0; round < 20; round += 1) {
    const [there, here] = await Promise.all([world.connect(port), world.connect(forward.port)]);
    there.end('to the server');
    here.end();
    t.equal((await readAll(there)).toString(), 'to the server');
    t.equal((await readAll(here)).toString(), 'from the client');
  }
  await until(() => client.list().length === 0 && server.list().length === 0);
});

t.test('a ping measures the round trip, and fails when the peer is offline', async (t) => {
  const { client, channels, serverId } = await pairOfOurs(t, echo);
  t.equal(await client.links.ping(serverId), 0);
  t.equal(client.links.list()[0]?.roundTrip, 0);
  await t.rejects(client.links.ping('offline'), { code: 'peer-offline' });
  channels.client.isStalled = true;
  const lost = client.links.ping(serverId);
  channels.client.close();
  await t.rejects(lost, { code: 'connection-lost' });
});

t.test('tunnels are listed, and closed by number or by peer', async (t) => {
  const { world, client, server, channels, port, target } = await pairOfOurs(t, echo);
  const sockets = await Promise.all([1, 2, 3].map(() => world.connect(port)));
  await until(() => server.list().length === 3);
  const socket = sockets[0] as Socket;
  socket.write('abc');
  await once(socket, 'data');
  t.match(
    server.list().find((tunnel) => tunnel.bytesSent === 3),
    { peerId: channels.server.peerId, target, peerRole: 'client', bytesReceived: 3, backlog: 0 },
  );
  const [{ number } = { number: 0 }] = client.list();
  t.ok(client.closeTunnel(number));
  t.notOk(client.closeTunnel(999));
  await until(() => server.list().length === 2);
  server.closePeer(channels.server.peerId, 'client');
  t.ok(
    server.list().every((tunnel) => tunnel.isClosing),
    'at once',
  );
  t.same(await Promise.all(sockets.map(howItEnds)), ['ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
  await until(() => client.list().length === 0 && server.list().length === 0);
});

t.test(
  'a request has a number while its target is being connected to, can be closed by it, and keeps it as a tunnel',
  async (t) => {
    const dials: DialHandlers[] = [];
    let cancelled = 0;
    const dialer: Dialer = {
      dial: (_peer, _target, handlers) => {
        dials.push(handlers);
        return () => {
          cancelled += 1;
        };
      },
    };
    const { world, server, target, port } = await pairOfOurs(t, echo, { dialer });
    const sockets = [await world.connect(port), await world.connect(port), await world.connect(port)] as const;
    await until(() => dials.length === 3);
    t.match(server.connecting(), [
      { number: 1, target },
      { number: 2, target },
      { number: 3, target },
    ]);
    t.same(server.list(), []);
    t.equal(server.closeTunnel(2), true);
    t.equal(cancelled, 1);
    t.match(await howItEnds(sockets[1]), /ECONNRESET/);
    const local = await world.connect(target.port);
    const { localPort } = local;
    dials[2]?.onConnected(local, '127.0.0.1');
    await until(() => server.list().length === 1);
    t.match(server.list(), [{ number: 3, localPort, isClosing: false }]);
    dials[0]?.onFailed('connection-refused');
    t.same(server.connecting(), []);
    t.equal(server.closeTunnel(1), false);
  },
);
