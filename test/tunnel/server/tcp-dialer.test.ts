import type { Socket } from 'node:net';
import t from 'tap';
import type { Source } from '../../../src/tunnel/server/client-source.js';
import { NameLookup } from '../../../src/tunnel/server/name-lookup.js';
import { TcpDialer } from '../../../src/tunnel/server/tcp-dialer.js';
import { readChunks } from '../../../src/tunnel/stream/shared-read-buffer.js';
import type { Reason } from '../../../src/tunnel/wire/reasons.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SlowConnections } from '../support/slow-connections.js';
import { SocketClock } from '../support/socket-clock.js';
import { World } from '../support/world.js';

t.test('a failed connection has a reason', async (t) => {
  const world = new World(t);
  const clock = new SocketClock();
  const dialer = new TcpDialer(clock);
  const dial = (host: string, port: number): Promise<Reason | 'connected'> =>
    new Promise((resolve) => {
      const handlers = {
        mayConnect: () => true,
        onConnected: (socket: { destroy(): void }) => {
          socket.destroy();
          resolve('connected');
        },
        onFailed: resolve,
      };
      dialer.dial('peer', { host, port }, handlers);
    });
  const port = await world.target(() => {});
  t.equal(await dial('127.0.0.1', port), 'connected');
  t.equal(await dial('[127.0.0.1]', port), 'connected');
  t.equal(await dial('localhost', port), 'connected', 'also when localhost is ::1 first');
  t.equal(await dial('127.0.0.1', 1), 'connection-refused');
  t.equal(await dial('localhost', 1), 'connection-refused');
  t.equal(await dial('..', 80), 'name-not-found');
  const silent = dial('192.0.2.1', 80);
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(12_000);
  t.match(await silent, /timeout|unreachable/);
  t.equal(clock.pending, 0, 'no timer is left');
});

const DUAL = ['2001:db8::1', '192.0.2.1'];

/** A name with the addresses of DUAL, which answer when the test says so. */
function dialDual(mayConnect: (address: string) => boolean = () => true) {
  const clock = new ManualClock();
  const net = new SlowConnections();
  const names = new NameLookup(clock, {
    hosts: (_host, done) => done([]),
    system: (_host, done) => {
      const addresses = DUAL.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      clock.soon(() => done(null, addresses));
    },
  });
  const outcomes: string[] = [];
  const cancel = new TcpDialer(clock, { names, connect: net.connect }).dial(
    'peer',
    { host: 'dual', port: 80 },
    {
      mayConnect,
      onConnected: (_socket, address) => outcomes.push(address),
      onFailed: (reason) => outcomes.push(reason),
    },
  );
  clock.advance(0);
  return { clock, net, outcomes, cancel };
}

t.test('an address that answers after 400 ms is reached, even if the other address of the name is dead', async (t) => {
  const { clock, net, outcomes } = dialDual();
  clock.advance(250);
  clock.advance(150);
  net.succeed('2001:db8::1');
  t.same(outcomes, ['2001:db8::1']);
});

t.test('resolving and connecting together may take 12 s, however many addresses there are', async (t) => {
  const { clock, net, outcomes } = dialDual();
  clock.advance(12_000);
  t.same(outcomes, ['timeout']);
  t.same([net.open, clock.pending], [[], 0]);
});

t.test('of several errors the most telling one is the reason', async (t) => {
  for (const [first, second, reason] of [
    ['ENETUNREACH', 'ECONNREFUSED', 'connection-refused'],
    ['ECONNREFUSED', 'ENETUNREACH', 'connection-refused'],
    ['EHOSTUNREACH', 'ETIMEDOUT', 'timeout'],
    ['ENETUNREACH', 'EHOSTUNREACH', 'unreachable'],
  ] as const) {
    const { net, outcomes } = dialDual();
    net.fail('2001:db8::1', first);
    net.fail('192.0.2.1', second);
    t.same(outcomes, [reason], `${first}, ${second}`);
  }
});

t.test('only allowed addresses are tried', async (t) => {
  const { clock, net, outcomes } = dialDual((address) => address === '192.0.2.1');
  clock.advance(1_000);
  t.same(net.tried, ['192.0.2.1']);
  net.succeed('192.0.2.1');
  t.same(outcomes, ['192.0.2.1']);
});

t.test('a name without an allowed address is not allowed', async (t) => {
  const { clock, net, outcomes } = dialDual(() => false);
  t.same([net.tried, outcomes, clock.pending], [[], ['not-allowed'], 0]);
});

t.test('a cancelled dial calls no handler and leaves no timer or socket', async (t) => {
  const { clock, net, outcomes, cancel } = dialDual();
  cancel();
  clock.advance(20_000);
  t.same([net.open, outcomes, clock.pending], [[], [], 0]);
});

/** A client whose source is this dials a host whose name has these addresses. */
function dialFrom(source: Source | undefined, host: string, resolved: readonly string[] = []) {
  const clock = new ManualClock();
  const net = new SlowConnections();
  const found = resolved.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const names = new NameLookup(clock, {
    hosts: (_host, done) => clock.soon(() => done(found)),
    system: (_host, done) => done(null, []),
  });
  const outcomes: unknown[] = [];
  new TcpDialer(clock, {
    names,
    connect: net.connect,
    sourceOf: (peerId) => (peerId === 'peer' ? source : undefined),
  }).dial(
    'peer',
    { host, port: 80 },
    {
      mayConnect: () => true,
      onConnected: (_socket, address) => outcomes.push(address),
      onFailed: (...failure) => outcomes.push(failure),
    },
  );
  clock.advance(250);
  return { net, outcomes, sources: [...net.sources] };
}

t.test('targets on IPv4 loopback, and no others, are connected to from the address of the client', (t) => {
  const source = { address: '127.64.0.9' };
  const { address: from } = source;
  t.same(dialFrom(source, '127.0.0.1').sources, [['127.0.0.1', from]]);
  t.same(dialFrom(source, '127.1.2.3').sources, [['127.1.2.3', from]]);
  t.same(dialFrom(source, 'localhost').sources, [['127.0.0.1', from]], 'localhost means its IPv4 address');
  t.same(dialFrom(source, 'nas', ['::1', '127.0.1.1']).sources, [['127.0.1.1', from]], 'as every name with both');
  for (const other of ['0.0.0.0', '::ffff:127.0.0.1', '0'])
    t.same(dialFrom(source, other, [other]).sources, [['127.0.0.1', from]], `${other} arrives there as well`);
  t.same(dialFrom(source, '::1').sources, [['::1', undefined]]);
  t.same(dialFrom(source, '192.0.2.1').sources, [['192.0.2.1', undefined]]);
  t.same(dialFrom(undefined, 'localhost').sources, [
    ['::1', undefined],
    ['127.0.0.1', undefined],
  ]);
  t.end();
});

t.test('what fails because of the address of the client says so', (t) => {
  const lost = dialFrom({ error: 'it has no address of its own: the file is damaged' }, '127.0.0.1');
  t.same(lost.sources, []);
  t.same(lost.outcomes, [['failed', undefined, 'it has no address of its own: the file is damaged']]);
  for (const [code, syscall, reason, advice] of [
    ['EADDRNOTAVAIL', 'bind', 'unreachable', /does not let a program use 127\.64\.0\.9.*targets\.source/],
    ['ECONNREFUSED', 'connect', 'connection-refused', /asked from 127\.64\.0\.9 on IPv4 alone.*::1/],
  ] as const) {
    const { net, outcomes } = dialFrom({ address: '127.64.0.9' }, 'localhost');
    net.fail('127.0.0.1', code, syscall);
    t.match(outcomes, [[reason, code, advice]]);
  }
  const { net, outcomes } = dialFrom(undefined, '127.0.0.1');
  net.fail('127.0.0.1', 'ECONNREFUSED');
  t.same(outcomes, [['connection-refused', 'ECONNREFUSED', undefined]]);
  t.end();
});

t.test('a target sees the address of the client', async (t) => {
  const world = new World(t);
  const port = await world.target((socket) => socket.end(`${socket.remoteAddress}`));
  const dialer = new TcpDialer(new SocketClock(), { sourceOf: () => ({ address: '127.99.3.4' }) });
  const seen = await new Promise((resolve) => {
    dialer.dial(
      'peer',
      { host: 'localhost', port },
      {
        mayConnect: () => true,
        onConnected: (connected) => {
          const socket = connected as Socket;
          readChunks(socket, (bytes) => resolve(`${bytes}`));
          socket.resume();
        },
        onFailed: resolve,
      },
    );
  });
  t.equal(seen, '127.99.3.4');
});
