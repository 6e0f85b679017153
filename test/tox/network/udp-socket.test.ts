import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import t, { type Test } from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import type { BindSocket } from '../../../src/tox/network/bound-socket.js';
import { nativeAddon } from '../../../src/tox/network/native-addon.js';
import { nativeBinder } from '../../../src/tox/network/native-udp.js';
import { NetworkError } from '../../../src/tox/network/network-error.js';
import { nodeBinder } from '../../../src/tox/network/node-udp.js';
import { openUdpSocket, type UdpSocket, type UdpSocketOptions } from '../../../src/tox/network/udp-socket.js';
import { at } from '../../support/nodes.js';
import { builtAddon, ipv6Loopback, requirementsMet } from '../../support/requirements.js';
import { SeededRandom } from '../../support/seeded-random.js';

interface Opened extends UdpSocket {
  readonly received: string[];
  /** Resolves when this many datagrams have arrived. */
  got(count: number): Promise<void>;
}

type Owner = { teardown(end: () => void): void };

async function openBy(bind: BindSocket, t: Owner, options: Partial<UdpSocketOptions> = {}): Promise<Opened> {
  const received: string[] = [];
  let notify = (): void => {};
  const socket = await openUdpSocket(
    { random: new SeededRandom(1), log: silentLogger, bind },
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

const addon = nativeAddon({});
const open = (t: Owner, options: Partial<UdpSocketOptions> = {}): Promise<Opened> => openBy(nodeBinder(), t, options);

t.test('by Node', (t) => behaviour(t, 'node', nodeBinder()));
t.test('by the addon', (t) => {
  if (!requirementsMet(t, builtAddon())) return t.end();
  return behaviour(t, 'native', nativeBinder(addon as NonNullable<typeof addon>));
});

/** Binds, and records the sockets of Node. */
async function openWatched(t: { teardown(end: () => void): void }, onDatagram: (packet: Buffer) => void) {
  const sockets: Socket[] = [];
  const create = (options: SocketOptions): Socket => {
    const made = createSocket(options);
    sockets.push(made);
    return made;
  };
  const deps = { random: new SeededRandom(1), log: silentLogger, bind: nodeBinder(create) };
  const socket = await openUdpSocket(deps, { ports: 0, ipv6: false, onDatagram });
  t.teardown(() => socket.close());
  return { socket, sockets };
}

t.test('a socket that fails is reopened on the same port', async (t) => {
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

t.test('data that Node has not sent yet does not change with its sender’s buffer', async (t) => {
  const waiting: Buffer[] = [];
  const create = (options: SocketOptions): Socket => {
    const socket = createSocket(options);
    return Object.assign(socket, { send: (packet: Buffer) => void waiting.push(packet) });
  };
  const a = await openBy(nodeBinder(create), t);
  const buffer = Buffer.from('first');
  a.send(buffer, at('127.0.0.1', 9));
  a.send(buffer.fill('x'), at('127.0.0.1', 9));
  t.same(waiting.map(String), ['first', 'xxxxx']);
});

t.test('what the system does not take is lost once megabytes of it wait in Node', async (t) => {
  const waiting: Buffer[] = [];
  const create = (options: SocketOptions): Socket => {
    const socket = createSocket(options);
    const send = (packet: Buffer): void => void waiting.push(packet);
    return Object.assign(socket, { send, getSendQueueSize: () => waiting.length * 60_000 });
  };
  const a = await openBy(nodeBinder(create), t);
  for (let count = 0; count < 1000; count += 1) a.send(Buffer.alloc(10), at('127.0.0.1', 9));
  t.ok(waiting.length > 60 && waiting.length < 200, `${waiting.length}`);
  waiting.length = 0;
  for (let count = 0; count < 128; count += 1) a.send(Buffer.alloc(10), at('127.0.0.1', 9));
  t.ok(waiting.length > 0, 'there is room again');
});

t.test('a late error of a failed socket does not end its successor', async (t) => {
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

t.test('an unreachable network is a loss, after which the same socket works', async (t) => {
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

function behaviour(t: Test, kind: string, bind: BindSocket): void {
  const open = (t: Owner, options: Partial<UdpSocketOptions> = {}): Promise<Opened> => openBy(bind, t, options);

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

  t.test('the MTU of the interface towards an address is returned, and nothing is sent', async (t) => {
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

  t.test('a datagram has its own source after one from another port or address', async (t) => {
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

  t.test('a port of the range is used, and if all are in use the error says what to do', async (t) => {
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

  t.test('an address of another machine is an error with a code', async (t) => {
    await t.rejects(open(t, { bindAddress: '192.0.2.1' }), { code: 'no-address', message: /192\.0\.2\.1/ });
  });

  t.test('an invalid range throws', async (t) => {
    await t.rejects(open(t, { ports: { first: 5, last: 4 } }), RangeError);
    await t.rejects(open(t, { ports: { first: 0, last: 4 } }), RangeError);
  });

  t.test('datagrams that cannot be sent are counted', async (t) => {
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

  t.test('a closed socket loses datagrams', async (t) => {
    const a = await open(t);
    a.close();
    a.close();
    a.send(Buffer.from('x'), at('127.0.0.1', a.localPort));
    t.equal(a.received.length, 0);
  });

  t.test('a sender learns that the system refused its datagram, and the socket continues', async (t) => {
    const socket = await open(t, { bindAddress: '127.0.0.1' });
    // The loopback address cannot send anywhere else.
    await new Promise<void>((resolve) => socket.send(Buffer.from('x'), at('192.0.2.1', 9), resolve));
    socket.send(Buffer.from('y'), at('127.0.0.1', socket.localPort), () => t.fail('refused'));
    await socket.got(1);
    t.match(socket.received, [/^y from/]);
  });

  t.test('it reports its kind', async (t) => {
    t.equal((await open(t)).kind, kind);
  });

  t.test('many datagrams of a tick arrive singly, in order and with their lengths', async (t) => {
    const [a, b, c] = [await open(t), await open(t, { ipv6: false }), await open(t)];
    const sizes = [1400, 1400, 900, 900, 900, 901, 0, 1, 1400, ...new Array(300).fill(700), 2048];
    const lengths: number[] = [];
    const texts = sizes.map((size, index) => `${index}`.padEnd(size, '.').slice(0, size));
    const [toB, toC] = [at('127.0.0.1', b.localPort), at('127.0.0.1', c.localPort)];
    for (const [index, text] of texts.entries()) {
      a.send(Buffer.from(text), toB);
      if (index % 100 === 0) a.send(Buffer.from('other'), toC);
      lengths.push(text.length);
    }
    await b.got(texts.length);
    await c.got(4);
    t.same(
      b.received,
      texts.map((text) => `${text} from 127.0.0.1:${a.localPort}`),
    );
    t.equal(c.received.length, 4);
    t.equal(a.errors, 0);
  });

  t.test('the sender may reuse its buffer at once, and received data stays', async (t) => {
    const kept: Buffer[] = [];
    const b = await openUdpSocket(
      { random: new SeededRandom(1), log: silentLogger, bind },
      { ports: 0, ipv6: false, onDatagram: (packet) => kept.push(packet) },
    );
    t.teardown(() => b.close());
    const a = await open(t);
    const buffer = Buffer.alloc(1200);
    for (let round = 0; round < 20; round += 1) {
      for (let index = 0; index < 10; index += 1) a.send(buffer.fill(round * 10 + index), at('127.0.0.1', b.localPort));
      while (kept.length < (round + 1) * 10) await new Promise((resolve) => setImmediate(resolve));
    }
    t.same(
      kept.map((packet) => packet[1199]),
      Array.from({ length: 200 }, (_, index) => index),
    );
  });

  t.test('a refused datagram does not affect others of its tick', async (t) => {
    const [a, b] = [await open(t, { bindAddress: '127.0.0.1' }), await open(t, { ipv6: false })];
    const refused: string[] = [];
    const good = at('127.0.0.1', b.localPort);
    a.send(Buffer.from('first'), good, () => t.fail('refused'));
    a.send(Buffer.from('x'), at('192.0.2.1', 9), () => refused.push('x'));
    a.send(Buffer.from('second'), good);
    await b.got(2);
    t.same(refused, ['x']);
    t.equal(a.errors, 1);
  });

  t.test('a datagram is sent although the socket is closed in the same tick', async (t) => {
    const [a, b] = [await open(t), await open(t, { ipv6: false })];
    a.send(Buffer.from('the end'), at('127.0.0.1', b.localPort));
    a.close();
    await b.got(1);
    t.match(b.received, [/^the end/]);
  });

  t.test('after close, a receiving socket delivers nothing more', async (t) => {
    let heard = 0;
    const b = await openUdpSocket(
      { random: new SeededRandom(1), log: silentLogger, bind },
      {
        ports: 0,
        ipv6: false,
        onDatagram: () => {
          heard += 1;
          b.close();
        },
      },
    );
    const [a, c] = [await open(t), await open(t)];
    for (let index = 0; index < 20; index += 1) a.send(Buffer.from('x'), at('127.0.0.1', b.localPort));
    for (let index = 0; index < 5; index += 1) {
      a.send(Buffer.from('x'), at('127.0.0.1', c.localPort));
      await c.got(index + 1);
    }
    t.equal(heard, 1);
  });

  t.end();
}
