import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { NetworkError } from '../../../src/tox/network/network-error.js';
import { openUdpSocket, type UdpSocket, type UdpSocketOptions } from '../../../src/tox/network/udp-socket.js';
import { at } from '../../support/nodes.js';
import { ipv6Loopback, requirementsMet } from '../../support/requirements.js';
import { SeededRandom } from '../../support/seeded-random.js';

interface Opened extends UdpSocket {
  readonly received: string[];
  /** Resolves when that many datagrams have come. */
  got(count: number): Promise<void>;
}

async function open(t: { teardown(end: () => void): void }, options: Partial<UdpSocketOptions> = {}): Promise<Opened> {
  const received: string[] = [];
  let notify = (): void => {};
  const socket = await openUdpSocket(
    { random: new SeededRandom(1), log: silentLogger },
    {
      ports: 0,
      ipv6: true,
      ...options,
      onDatagram: (packet, source) => {
        received.push(`${packet} from ${source}`);
        notify();
      },
    },
  );
  t.teardown(() => socket.close());
  const got = (count: number): Promise<void> =>
    new Promise((resolve) => {
      notify = () => received.length >= count && resolve();
      notify();
    });
  return Object.assign(socket, { received, got });
}

t.test(
  'datagrams travel over IPv4 and come from a plain IPv4 address, also through a socket for both families',
  async (t) => {
    const [a, b] = [await open(t), await open(t, { ipv6: false })];
    a.send(Buffer.from('one'), at('127.0.0.1', b.localPort));
    await b.got(1);
    b.send(Buffer.from('two'), at('127.0.0.1', a.localPort));
    await a.got(1);
    t.same(b.received, [`one from 127.0.0.1:${a.localPort}`]);
    t.same(a.received, [`two from 127.0.0.1:${b.localPort}`]);
  },
);

t.test('the size that an interface takes is told for the way to an address, and nothing is sent', async (t) => {
  const [a, b] = [await open(t), await open(t, { ipv6: false })];
  const mtu = await a.mtuTowards(at('127.0.0.1', b.localPort));
  t.ok(mtu === undefined || mtu >= 1280, `${mtu}`);
  t.equal(await a.mtuTowards(at('255.255.255.255', 1)), undefined, 'no way there');
  t.same(b.received, []);
});

t.test('datagrams travel over IPv6', async (t) => {
  if (!requirementsMet(t, ipv6Loopback())) return;
  const [a, b] = [await open(t), await open(t, { bindAddress: '::1' })];
  t.ok(a.hasIpv6);
  a.send(Buffer.from('one'), at('::1', b.localPort));
  await b.got(1);
  t.same(b.received, [`one from [::1]:${a.localPort}`]);
});

t.test('a datagram is told apart from one of another port or address before it', async (t) => {
  const [a, b, c] = [await open(t), await open(t), await open(t, { ipv6: false })];
  for (const [socket, count] of [
    [a, 1],
    [b, 2],
    [a, 3],
    [c, 4],
    [c, 5],
  ] as const) {
    socket.send(Buffer.from('x'), at('127.0.0.1', c.localPort));
    await c.got(count);
  }
  t.same(
    c.received,
    [a, b, a, c, c].map((socket) => `x from 127.0.0.1:${socket.localPort}`),
  );
});

t.test('a port is taken from the range, and when all are in use the error says what to do', async (t) => {
  const first = await open(t, { ipv6: false });
  const ports = { first: first.localPort, last: first.localPort };
  await t.rejects(open(t, { ipv6: false, ports }), {
    constructor: NetworkError,
    code: 'port-in-use',
    message: /choose other ports/,
  });
  const wider = { first: first.localPort - 3, last: first.localPort + 3 };
  const second = await open(t, { ipv6: false, ports: wider });
  t.not(second.localPort, first.localPort);
  t.ok(second.localPort >= wider.first && second.localPort <= wider.last);
});

t.test('an address that is not ours is refused with a code', async (t) => {
  await t.rejects(open(t, { bindAddress: '192.0.2.1' }), { code: 'no-address', message: /192\.0\.2\.1/ });
});

t.test('a range that is none is our own mistake', async (t) => {
  await t.rejects(open(t, { ports: { first: 5, last: 4 } }), RangeError);
  await t.rejects(open(t, { ports: { first: 0, last: 4 } }), RangeError);
});

t.test('what cannot be sent is counted and breaks nothing', async (t) => {
  const [a, b] = [await open(t, { ipv6: false }), await open(t, { ipv6: false })];
  a.send(Buffer.from('x'), at('127.0.0.1', 0));
  a.send(Buffer.from('x'), at('2001:db8::1', 1));
  t.equal(a.errors, 2);
  a.send(Buffer.alloc(70_000), at('127.0.0.1', b.localPort));
  a.send(Buffer.from('still alive'), at('127.0.0.1', b.localPort));
  await b.got(1);
  t.equal(a.errors, 3);
  t.match(b.received, [/^still alive/]);
});

t.test('a closed socket loses what it is given', async (t) => {
  const a = await open(t);
  a.close();
  a.close();
  a.send(Buffer.from('x'), at('127.0.0.1', a.localPort));
  t.equal(a.received.length, 0);
});

/** Also gives the sockets of Node that it uses. */
async function openWatched(t: { teardown(end: () => void): void }, onDatagram: (packet: Buffer) => void) {
  const sockets: Socket[] = [];
  const create = (options: SocketOptions): Socket => {
    const made = createSocket(options);
    sockets.push(made);
    return made;
  };
  const deps = { random: new SeededRandom(1), log: silentLogger, create };
  const socket = await openUdpSocket(deps, { ports: 0, ipv6: false, onDatagram });
  t.teardown(() => socket.close());
  return { socket, sockets };
}

t.test('a socket that dies is replaced by another one on the same port', async (t) => {
  const heard: string[] = [];
  const { socket, sockets } = await openWatched(t, (packet) => heard.push(`${packet}`));
  const peer = await open(t, { ipv6: false });
  const deaths = [
    () => sockets[0]?.close(),
    () => sockets[1]?.emit('error', Object.assign(new Error('gone'), { code: 'EBADF' })),
  ];
  for (const [index, die] of deaths.entries()) {
    die();
    while (peer.received.length === index) {
      socket.send(Buffer.from('again'), at('127.0.0.1', peer.localPort));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    t.equal(sockets.length, index + 2, 'one new socket');
    t.equal(peer.received[index], `again from 127.0.0.1:${socket.localPort}`);
    peer.received.length = index + 1;
    while (heard.length <= index) {
      peer.send(Buffer.from('and back'), at('127.0.0.1', socket.localPort));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    heard.length = index + 1;
  }
});

t.test('what is told late of a socket that died does not end the one in its place', async (t) => {
  const { socket, sockets } = await openWatched(t, () => {});
  const peer = await open(t, { ipv6: false });
  const first = sockets[0] as Socket;
  const told: ((error: Error) => void)[] = [];
  first.send = ((...given: unknown[]) => told.push(given.at(-1) as (error: Error) => void)) as Socket['send'];
  socket.send(Buffer.from('one'), at('127.0.0.1', peer.localPort));
  socket.send(Buffer.from('two'), at('127.0.0.2', peer.localPort));
  t.equal(told.length, 2);
  const gone = Object.assign(new Error('gone'), { code: 'EBADF' });
  told[0]?.(gone);
  while (peer.received.length === 0) {
    socket.send(Buffer.from('again'), at('127.0.0.1', peer.localPort));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  told[1]?.(gone);
  socket.send(Buffer.from('still'), at('127.0.0.1', peer.localPort));
  await peer.got(2);
  t.equal(sockets.length, 2);
});

t.test('a network that cannot be reached is loss, after which the same socket goes on', async (t) => {
  const { socket, sockets } = await openWatched(t, () => {});
  for (const code of ['ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EPERM']) {
    sockets[0]?.emit('error', Object.assign(new Error(code), { code }));
  }
  const peer = await open(t, { ipv6: false });
  socket.send(Buffer.from('still here'), at('127.0.0.1', peer.localPort));
  await peer.got(1);
  t.equal(sockets.length, 1);
  t.equal(socket.errors, 4);
});

t.test('who asks is told that the system would not send, and the socket lives on', async (t) => {
  const socket = await open(t, { bindAddress: '127.0.0.1' });
  // Not from loopback to anywhere else.
  await new Promise<void>((resolve) => socket.send(Buffer.from('x'), at('192.0.2.1', 9), resolve));
  socket.send(Buffer.from('y'), at('127.0.0.1', socket.localPort), () => t.fail('refused'));
  await socket.got(1);
  t.match(socket.received, [/^y from/]);
});
