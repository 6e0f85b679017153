import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import type { DynamicSpec } from '../../../src/tunnel/client/forward-spec.js';
import type { MayReach } from '../../../src/tunnel/server/request-handler.js';
import { encodeProxyDatagram } from '../../../src/tunnel/socks/udp-header.js';
import { howItEnds, pairOfOurs, readAll, readSome, until } from '../support/world.js';

const ASSOCIATE = Buffer.from('05010005030001000000000000', 'hex');
const spec: DynamicSpec = { kind: 'dynamic', at: { kind: 'port', bind: '127.0.0.1', port: 0 } };

/** A UDP socket that keeps what it receives. */
async function udp(t: Test, address = '127.0.0.1'): Promise<{ socket: UdpSocket; received: Buffer[]; port: number }> {
  const socket = createSocket('udp4').on('error', () => {});
  const received: Buffer[] = [];
  socket.on('message', (bytes) => received.push(bytes));
  socket.bind(0, address);
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return { socket, received, port: socket.address().port };
}

/** @returns the port of a target that returns each datagram */
async function echo(t: Test): Promise<number> {
  const { socket, port } = await udp(t);
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address));
  return port;
}

async function setUp(t: Test, mayReach: MayReach = () => ({ allowed: true })) {
  const pair = await pairOfOurs(t, (socket) => void socket.end(), { mayReach });
  const { world, client, serverId } = pair;
  const forward = await client.forward(serverId, spec);
  /** @returns the control connection, and the port for datagrams */
  const associate = async () => {
    const control = await world.connect(forward.port);
    control.write(ASSOCIATE);
    const answer = await readSome(control, 12);
    t.equal(answer.toString('hex', 0, 10), '0500050000017f000001');
    return { control, relay: answer.readUInt16BE(10) };
  };
  return { ...pair, forward, associate };
}

const to = (port: number, text: string, host = '127.0.0.1'): Buffer =>
  encodeProxyDatagram({ host, port, bytes: Buffer.from(text) });

t.test('a program sends datagrams to any target, and gets the answers with their sources in front', async (t) => {
  const { forward, associate, client } = await setUp(t);
  const targets = [await echo(t), await echo(t)] as const;
  const { relay } = await associate();
  const program = await udp(t);
  program.socket.send(to(targets[0], 'one'), relay, '127.0.0.1');
  await until(() => program.received.length === 1);
  program.socket.send(to(targets[1], 'two', 'localhost'), relay, '127.0.0.1');
  await until(() => program.received.length === 2);
  program.socket.send(to(targets[0], 'three'), relay, '127.0.0.1');
  await until(() => program.received.length === 3);
  t.same(program.received, [to(targets[0], 'one'), to(targets[1], 'two', 'localhost'), to(targets[0], 'three')]);
  t.equal(client.list().length, 2, 'a session for each destination');
  t.match(forward.traffic, { open: 2, total: 2, bytesSent: 11, bytesReceived: 11 });
});

t.test('an association ends with its connection, and its sessions with it', async (t) => {
  const { forward, associate, client } = await setUp(t);
  const target = await echo(t);
  const [first, second] = [await associate(), await associate()];
  const programs = [await udp(t), await udp(t)] as const;
  programs[0].socket.send(to(target, 'a'), first.relay, '127.0.0.1');
  programs[1].socket.send(to(target, 'b'), second.relay, '127.0.0.1');
  await until(() => programs.every(({ received }) => received.length === 1));
  first.control.end();
  await until(() => client.list().length === 1 && forward.pending === 1);
  programs[0].socket.send(to(target, 'c'), first.relay, '127.0.0.1');
  programs[1].socket.send(to(target, 'd'), second.relay, '127.0.0.1');
  await until(() => programs[1].received.length === 2);
  t.equal(programs[0].received.length, 1);
  t.match(forward.traffic, { open: 1, total: 2 });
  forward.close();
  t.equal(await howItEnds(second.control), 'ECONNRESET');
  await until(() => client.list().length === 0);
});

t.test('only the first port that sends is the one of the program', async (t) => {
  const { associate, client } = await setUp(t);
  const target = await echo(t);
  const { relay } = await associate();
  const [program, other, elsewhere] = [await udp(t), await udp(t), await udp(t, '127.0.0.2')];
  elsewhere.socket.send(to(target, 'x'), relay, '127.0.0.1');
  program.socket.send(to(target, 'a'), relay, '127.0.0.1');
  await until(() => program.received.length === 1);
  other.socket.send(to(target, 'b'), relay, '127.0.0.1');
  program.socket.send(to(target, 'c'), relay, '127.0.0.1');
  await until(() => program.received.length === 2);
  t.same([other.received, elsewhere.received], [[], []]);
  t.equal(client.list().length, 1);
});

t.test('a target that is not allowed gets no datagram, and the association stays', async (t) => {
  const target = await echo(t);
  const mayReach: MayReach = (_, { port }) =>
    port === target ? { allowed: true } : { allowed: false, reason: 'no rule' };
  const { associate, server } = await setUp(t, mayReach);
  const refused: string[] = [];
  server.on('refused', (_peer, { port, protocol }) => refused.push(`${protocol} ${port}`));
  const { relay } = await associate();
  const program = await udp(t);
  program.socket.send(to(9, 'no'), relay, '127.0.0.1');
  await until(() => refused.length === 1);
  t.same(refused, ['udp 9']);
  program.socket.send(to(target, 'yes'), relay, '127.0.0.1');
  await until(() => program.received.length === 1);
});

t.test('a program that goes before its port is there leaves nothing behind', async (t) => {
  const { world, forward } = await setUp(t);
  const control = await world.connect(forward.port);
  control.end(ASSOCIATE);
  await readAll(control);
  await until(() => forward.pending === 0);
});

t.test('a forward has at most 256 associations', async (t) => {
  const { world, forward, associate } = await setUp(t);
  for (let count = 0; count < 256; count += 1) await associate();
  const control = await world.connect(forward.port);
  control.write(ASSOCIATE);
  t.equal((await readAll(control)).toString('hex'), '050005010001000000000000');
});
