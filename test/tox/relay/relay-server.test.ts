import t from 'tap';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { StreamSocket } from '../../../src/tox/network/stream-socket.js';
import { MAX_OOB_SIZE } from '../../../src/tox/packet/relay.js';
import { beginHandshake } from '../../../src/tox/relay/handshake.js';
import { mutations } from '../../support/fuzz.js';
import { at } from '../../support/nodes.js';
import { isOnline, RELAY_ADDRESS, RELAY_PORT, RelayBench } from './relay-bench.js';

t.test('a client is confirmed by its first packet', async (t) => {
  const bench = new RelayBench(1);
  const { events } = bench.client();
  t.ok(bench.clock.runUntil(() => events.includes('confirmed'), 1_000));
  t.equal(bench.server.clients, 1);
});

t.test('two clients that ask for each other are notified, and exchange data', async (t) => {
  const bench = new RelayBench(2);
  const [a, b] = [bench.client(), bench.client()];
  a.client.ask(b.keys.publicKey);
  bench.clock.advance(100);
  t.same(a.events, ['confirmed', `${b.keys.publicKey.short} registered`], 'the other has not asked yet');
  t.notOk(a.client.sendData(b.keys.publicKey, Buffer.from('early')));
  b.client.ask(a.keys.publicKey);
  bench.clock.advance(100);
  t.ok(isOnline(a, b.keys.publicKey) && isOnline(b, a.keys.publicKey));
  t.ok(a.client.sendData(b.keys.publicKey, Buffer.from('hello')));
  t.ok(b.client.sendData(a.keys.publicKey, Buffer.from('there')));
  bench.clock.advance(100);
  t.same(b.received, [Buffer.from('hello')]);
  t.same(a.received, [Buffer.from('there')]);
});

t.test('a client that leaves, or frees its slot, is no longer online for the other', async (t) => {
  const bench = new RelayBench(3);
  const [a, b] = bench.pair();
  b.client.release(a.keys.publicKey);
  bench.clock.advance(100);
  t.equal(a.client.status(b.keys.publicKey), 'registered');
  b.client.ask(a.keys.publicKey);
  bench.clock.advance(100);
  t.ok(isOnline(a, b.keys.publicKey), 'and again when it is wanted');
  b.client.close();
  bench.clock.advance(100);
  t.equal(a.client.status(b.keys.publicKey), 'registered');
  t.equal(bench.server.clients, 1);
});

t.test('packets out of band need nothing but the key of a connected client', async (t) => {
  const bench = new RelayBench(4);
  const [a, b] = [bench.client(), bench.client()];
  bench.clock.advance(100);
  t.ok(a.client.sendOob(b.keys.publicKey, Buffer.from('psst')));
  t.ok(a.client.sendOob(generateKeyPair(bench.random).publicKey, Buffer.from('nobody')));
  t.notOk(a.client.sendOob(b.keys.publicKey, Buffer.alloc(MAX_OOB_SIZE + 1)));
  bench.clock.advance(100);
  t.same(b.events, ['confirmed', `oob from ${a.keys.publicKey.short}`]);
  t.same(b.received, [Buffer.from('psst')]);
});

t.test('no client is connected with itself, or with more than 240 others', async (t) => {
  const bench = new RelayBench(5);
  const a = bench.client();
  a.client.ask(a.keys.publicKey);
  bench.clock.advance(100);
  t.equal(a.client.status(a.keys.publicKey), 'refused');
  a.client.release(a.keys.publicKey);
  for (let count = 0; count < 240; count += 1) a.client.ask(generateKeyPair(bench.random).publicKey);
  bench.clock.advance(100);
  const last = generateKeyPair(bench.random).publicKey;
  a.client.ask(last);
  t.equal(a.client.status(last), 'unknown', 'the client does not even ask');
  t.equal(a.events.filter((event) => event.endsWith('registered')).length, 240);
});

t.test('a second connection with the same key replaces the first', async (t) => {
  const bench = new RelayBench(6);
  const [a, b] = bench.pair();
  const again = bench.client({ keys: b.keys });
  again.client.ask(a.keys.publicKey);
  bench.clock.advance(100);
  t.ok(b.events.some((event) => event.startsWith('closed')));
  t.equal(bench.server.clients, 2);
  t.ok(isOnline(again, a.keys.publicKey) && isOnline(a, b.keys.publicKey));
});

t.test('a relay with another key is not trusted', async (t) => {
  const bench = new RelayBench(7);
  const relay = { publicKey: generateKeyPair(bench.random).publicKey, endpoint: bench.relay.endpoint };
  const { events } = bench.client({ relay });
  bench.clock.advance(20_000);
  t.equal(events.length, 1);
  t.match(events[0], /^closed/);
  t.equal(bench.server.clients, 0);
});

t.test('all bytes relayed between clients are counted, but not those that we ourselves send or receive', async (t) => {
  const bench = new RelayBench(9);
  const [a, b] = bench.pair();
  const ourselves = bench.client({ keys: bench.keys });
  ourselves.client.ask(a.keys.publicKey);
  a.client.ask(bench.keys.publicKey);
  bench.clock.advance(100);
  t.equal(bench.server.relayedBytes, 0);
  a.client.sendData(b.keys.publicKey, Buffer.alloc(1_000));
  a.client.sendOob(b.keys.publicKey, Buffer.alloc(100));
  a.client.sendOnion(Buffer.alloc(300));
  bench.clock.advance(100);
  t.equal(bench.server.relayedBytes, 1_400);
  bench.server.respond(bench.onion[0]?.client as bigint, Buffer.alloc(20));
  t.equal(bench.server.relayedBytes, 1_420);
  ourselves.client.sendData(a.keys.publicKey, Buffer.alloc(50));
  a.client.sendData(bench.keys.publicKey, Buffer.alloc(50));
  a.client.sendOob(bench.keys.publicKey, Buffer.alloc(50));
  a.client.sendOob(generateKeyPair(bench.random).publicKey, Buffer.alloc(50));
  bench.clock.advance(100);
  t.equal(bench.server.relayedBytes, 1_420);
});

t.test('onion requests are forwarded, and answers reach the client', async (t) => {
  const bench = new RelayBench(8);
  const a = bench.client();
  bench.clock.advance(100);
  const data = Buffer.alloc(300, 5);
  t.ok(a.client.sendOnion(data));
  bench.clock.advance(100);
  t.same(bench.onion[0]?.data, data);
  bench.server.respond(bench.onion[0]?.client as bigint, Buffer.from('answer'));
  bench.server.respond(12345n, Buffer.from('for nobody'));
  bench.clock.advance(100);
  t.same(a.received, [Buffer.from('answer')]);
});

t.test('both sides notice silence', async (t) => {
  const bench = new RelayBench(9);
  const a = bench.client();
  bench.clock.advance(100_000);
  t.same(a.events, ['confirmed'], 'pings are answered, however long it lasts');
  bench.streams.blackHoles.add(a.address);
  bench.clock.advance(50_000);
  t.match(a.events.at(-1), /closed: silent/);
  t.equal(bench.server.clients, 0);
});

t.test(
  'a relay with a full socket refuses packets that may get lost, and takes them again when it drains',
  async (t) => {
    const bench = new RelayBench(10);
    const [a, b] = bench.pair();
    bench.streams.stalled.add(RELAY_ADDRESS);
    let sent = 0;
    while (a.client.sendData(b.keys.publicKey, Buffer.alloc(1000))) sent += 1;
    t.ok(sent > 50 && sent < 100, `the capacity of the stream: ${sent}`);
    t.ok(a.client.isFull);
    bench.streams.resume(RELAY_ADDRESS);
    bench.clock.advance(100);
    t.ok(a.events.includes('drain'));
    t.equal(b.received.length, sent, 'nothing that was taken is lost');
  },
);

t.test('a client that does not read loses data, costs no memory and does not delay other clients', async (t) => {
  const bench = new RelayBench(11);
  const [a, b] = bench.pair();
  const other = bench.client();
  bench.clock.advance(100);
  bench.streams.stalled.add(b.address);
  for (let round = 0; round < 50; round += 1) {
    for (let count = 0; count < 20; count += 1) a.client.sendData(b.keys.publicKey, Buffer.alloc(1000));
    bench.clock.advance(10);
  }
  a.client.sendOob(other.keys.publicKey, Buffer.from('hi'));
  bench.clock.advance(100);
  t.same(other.received, [Buffer.from('hi')]);
  bench.streams.resume(b.address);
  bench.clock.advance(100);
  t.ok(b.received.length >= 60 && b.received.length < 100, `what fitted: ${b.received.length}`);
});

t.test('the number of clients that never finish their greeting is bounded, and they time out', async (t) => {
  const bench = new RelayBench(12);
  let closed = 0;
  for (let count = 0; count < 400; count += 1) {
    bench.streams.dialer(bench.nextAddress())(at(RELAY_ADDRESS, RELAY_PORT), {
      onData: () => {},
      onDrain: () => {},
      onClose: () => {
        closed += 1;
      },
    });
  }
  bench.clock.advance(100);
  t.equal(closed, 400 - 256);
  const honest = bench.client();
  bench.clock.advance(100);
  t.same(honest.events, ['confirmed']);
  bench.clock.advance(10_000);
  t.equal(bench.streams.connections, 1);
});

/** Opens a connection from an address, and says something. */
function call(bench: RelayBench, address: string, bytes = Buffer.alloc(0)): { isClosed: boolean } {
  const state = { isClosed: false };
  const socket: StreamSocket = bench.streams.dialer(address)(at(RELAY_ADDRESS, RELAY_PORT), {
    onOpen: () => void socket.write(bytes),
    onData: () => {},
    onDrain: () => {},
    onClose: () => {
      state.isClosed = true;
    },
  });
  return state;
}

t.test('a host that keeps opening connections ends its own, not those of others', async (t) => {
  const bench = new RelayBench(18);
  const slow = call(bench, '198.51.100.200');
  bench.clock.advance(10);
  const flood = Array.from({ length: 1_000 }, () => call(bench, '198.51.100.66'));
  bench.clock.advance(100);
  t.notOk(slow.isClosed, 'though it was there first');
  t.equal(flood.filter(({ isClosed }) => !isClosed).length, 255);
});

t.test('a host that shakes hands all the time does not delay the others', async (t) => {
  const bench = new RelayBench(19);
  const shakers = Array.from({ length: 250 }, () => generateKeyPair(bench.random));
  // The burst is used up, and all that comes afterwards waits.
  for (const keys of [...shakers, ...shakers, ...shakers]) bench.client({ keys, address: '198.51.100.66' });
  bench.clock.advance(10);
  const before = bench.server.clients;
  const honest = bench.client();
  t.ok(
    bench.clock.runUntil(() => honest.events.includes('confirmed'), 1_000),
    'its turn comes',
  );
  t.ok(bench.server.clients < before + 20, 'long before all the others had theirs');
});

t.test('a relay that one host has filled with linked clients has room for others', async (t) => {
  const bench = new RelayBench(20);
  const [a, b] = bench.pair();
  let previous = bench.client({ address: '198.51.100.66' });
  for (let count = 0; count < 1_030; count += 1) {
    const next = bench.client({ address: '198.51.100.66' });
    next.client.ask(previous.keys.publicKey);
    previous.client.ask(next.keys.publicKey);
    previous = next;
    bench.clock.advance(10);
  }
  const newcomer = bench.client();
  bench.clock.advance(1_000);
  t.same(newcomer.events, ['confirmed']);
  t.equal(bench.server.clients, 1_024);
  t.ok(isOnline(a, b.keys.publicKey));
});

t.test('a relay uses at most its share of descriptors', async (t) => {
  const bench = new RelayBench(21, { descriptors: 100 });
  for (let count = 0; count < 200; count += 1) {
    bench.client();
    bench.clock.advance(10);
  }
  t.equal(bench.server.clients, 80);
  for (let count = 0; count < 200; count += 1) call(bench, bench.nextAddress());
  bench.clock.advance(100);
  t.equal(bench.streams.connections, 100);
});

t.test('a client that sends before it was answered is disconnected', async (t) => {
  const bench = new RelayBench(22);
  const greeting = beginHandshake(bench.random, bench.client().keys.publicKey, Buffer.alloc(32)).greeting;
  const early = call(bench, bench.nextAddress(), Buffer.concat([greeting, Buffer.alloc(1)]));
  bench.clock.advance(100);
  t.ok(early.isClosed);
});

t.test('a slow connection on which other packets come before late pongs is not given up', async (t) => {
  const bench = new RelayBench(23);
  const [a, b] = bench.pair();
  bench.streams.delay = 8_000;
  for (let passed = 0; passed < 120_000; passed += 1_000) {
    a.client.sendData(b.keys.publicKey, Buffer.from('a'));
    b.client.sendData(a.keys.publicKey, Buffer.from('b'));
    bench.clock.advance(1_000);
  }
  t.notOk([...a.events, ...b.events].some((event) => event.startsWith('closed')));
});

t.test('clients that do not read are ended when too many bytes wait, and honest ones are served', async (t) => {
  const bench = new RelayBench(16);
  bench.streams.capacity = 256 * 1024;
  const [a, b] = bench.pair();
  const flooder = bench.client();
  const victims = Array.from({ length: 100 }, () => bench.client());
  bench.clock.advance(2_000);
  const isOpen = ({ events }: { events: string[] }): boolean => !events.at(-1)?.startsWith('closed');
  for (const { address } of victims) bench.streams.stalled.add(address);
  for (const { keys } of victims) {
    for (let count = 0; count < 240; ) {
      if (flooder.client.sendOob(keys.publicKey, Buffer.alloc(1_000))) count += 1;
      else bench.clock.advance(1);
    }
    bench.clock.advance(5);
  }
  for (const { address } of victims) bench.streams.resume(address);
  bench.clock.advance(100);
  const kept = victims.filter(isOpen).length;
  t.ok(kept > 60 && kept < 70, `16 MiB, though none of their sockets was full: ${kept}`);
  a.client.sendData(b.keys.publicKey, Buffer.from('still here'));
  bench.clock.advance(100);
  t.same(b.received, [Buffer.from('still here')]);
});

t.test('a full relay ends clients without a link, not linked ones', async (t) => {
  const bench = new RelayBench(17);
  const [a, b] = bench.pair();
  for (let count = 0; count < 1_030; count += 1) {
    bench.client();
    bench.clock.advance(10);
  }
  bench.clock.advance(100);
  t.equal(bench.server.clients, 1_024);
  t.ok(isOnline(a, b.keys.publicKey) && isOnline(b, a.keys.publicKey));
});

t.test('hostile bytes before and after the handshake end at most their own connection', async (t) => {
  const bench = new RelayBench(13);
  const [a, b] = bench.pair();
  const greetings = [Buffer.alloc(128, 3), Buffer.concat([a.keys.publicKey.bytes, Buffer.alloc(96)])];
  for (const bytes of mutations(14, greetings, 300)) {
    const socket: StreamSocket = bench.streams.dialer(bench.nextAddress())(at(RELAY_ADDRESS, RELAY_PORT), {
      onOpen: () => void socket.write(bytes),
      onData: () => {},
      onDrain: () => {},
      onClose: () => {},
    });
    bench.clock.advance(5);
  }
  t.ok(a.client.sendData(b.keys.publicKey, Buffer.from('still here')));
  bench.clock.advance(100);
  t.same(b.received, [Buffer.from('still here')]);
});

t.test('stop ends every connection and leaves no timer', async (t) => {
  const bench = new RelayBench(15);
  const [a, b] = bench.pair();
  bench.server.stop();
  bench.clock.advance(100);
  for (const { events } of [a, b]) t.match(events.at(-1), /^closed/);
  t.equal(bench.clock.pending, 0);
});
