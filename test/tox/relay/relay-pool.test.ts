import t from 'tap';
import type { Endpoint } from '../../../src/base/endpoint.js';
import { silentLogger } from '../../../src/base/logger.js';
import { sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair, type KeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import type { RelayLink } from '../../../src/tox/relay/relay-link.js';
import { RelayPool } from '../../../src/tox/relay/relay-pool.js';
import type { RelayRoute } from '../../../src/tox/relay/relay-route.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { startSimulatedRelay } from '../../support/simulated-relay.js';
import { SimulatedStreams } from '../../support/simulated-streams.js';

const DATA = Buffer.from([0x1b, 1, 2, 3]);

class TestPool {
  readonly keys: KeyPair;
  readonly address: string;
  readonly pool: RelayPool;
  readonly received: { readonly packet: Buffer; readonly source: RelayRoute }[] = [];
  readonly events: string[] = [];
  externalEndpoint: Endpoint | undefined;

  constructor(bench: PoolBench, address: string, maxRelays = 512) {
    this.keys = generateKeyPair(bench.random);
    this.address = address;
    const { clock, random } = bench;
    this.pool = new RelayPool(
      {
        clock,
        random,
        log: silentLogger,
        dial: bench.streams.dialer(address),
        ownKey: this.keys.publicKey,
        sharedKey: (key) => sharedKey(key, this.keys.secretKey),
        externalEndpoint: () => this.externalEndpoint,
      },
      {
        onPacket: (packet, source) => this.received.push({ packet, source }),
        onOnion: (packet) => this.events.push(`onion ${packet}`),
        onHomeConnected: () => this.events.push('home'),
      },
      { maxRelays },
    );
  }

  link(peer: PublicKey): RelayLink {
    return this.pool.link(peer, {
      onUsable: () => this.events.push('usable'),
      onUnusable: () => this.events.push('unusable'),
      onDrain: () => this.events.push('drain'),
    });
  }
}

class PoolBench {
  readonly clock = new ManualClock();
  readonly random: SeededRandom;
  readonly streams: SimulatedStreams;
  readonly relays: NodeInfo[] = [];
  #hosts = 0;

  constructor(relays: number, seed: number) {
    this.random = new SeededRandom(seed);
    this.streams = new SimulatedStreams(this.clock, new SeededRandom(seed + 1));
    for (let count = 0; count < relays; count += 1) this.addRelay();
  }

  addRelay(keyPair = generateKeyPair(this.random)): NodeInfo {
    const endpoint = at(`203.0.113.${this.relays.length + 1}`, 443);
    startSimulatedRelay(this, keyPair, endpoint);
    const relay = { publicKey: keyPair.publicKey, endpoint };
    this.relays.push(relay);
    return relay;
  }

  pool(maxRelays?: number): TestPool {
    this.#hosts += 1;
    return new TestPool(this, `198.51.100.${this.#hosts}`, maxRelays);
  }

  /** Two that know each other's key, at the first relay alone. */
  pair(): [TestPool, TestPool, RelayLink, RelayLink] {
    const [a, b] = [this.pool(), this.pool()];
    const links = [a.link(b.keys.publicKey), b.link(a.keys.publicKey)] as [RelayLink, RelayLink];
    for (const link of links) link.tie(this.relays[0] as NodeInfo);
    this.clock.advance(100);
    return [a, b, ...links];
  }
}

t.test('three home relays are kept, however many are known', async (t) => {
  const bench = new PoolBench(10, 1);
  const { pool, address } = bench.pool();
  for (const relay of bench.relays) pool.add(relay);
  bench.clock.advance(20_000);
  t.equal(pool.homes.length, 3);
  t.equal(bench.streams.connectionsOf(address), 3, 'those that came too late were let go');
  bench.streams.blackHoles.add((pool.homes[0] as NodeInfo).endpoint.address);
  bench.clock.advance(60_000);
  t.equal(pool.homes.length, 3, 'one that dies is replaced');
});

t.test('no more relays are used than there are descriptors for, however many friends name', async (t) => {
  const bench = new PoolBench(10, 4);
  const user = bench.pool(5);
  for (const relay of bench.relays) user.link(generateKeyPair(bench.random).publicKey).tie(relay);
  bench.clock.advance(20_000);
  t.equal(bench.streams.connectionsOf(user.address), 5);
});

t.test('among many dead relays the live ones are found, and the dead ones are not tried too often', async (t) => {
  const bench = new PoolBench(40, 2);
  for (const relay of bench.relays.slice(2)) bench.streams.blackHoles.add(relay.endpoint.address);
  const { pool } = bench.pool();
  for (const relay of bench.relays) pool.add(relay);
  bench.clock.advance(180_000);
  t.equal(pool.homes.length, 2);
  t.ok(bench.streams.dialled < 200, `${bench.streams.dialled} attempts in 3 minutes`);
});

t.test('a relay that refuses is tried again more and more slowly, at all its ports', async (t) => {
  const bench = new PoolBench(1, 3);
  const [relay] = bench.relays as [NodeInfo];
  const { pool } = bench.pool();
  for (const port of [1, 2, 3]) pool.add({ ...relay, endpoint: relay.endpoint.withPort(port) });
  bench.clock.advance(60_000);
  t.equal(pool.homes.length, 0);
  t.ok(bench.streams.dialled > 9 && bench.streams.dialled < 40, `${bench.streams.dialled} attempts in a minute`);
  pool.add(relay);
  bench.clock.advance(60_000);
  t.equal(pool.homes[0]?.endpoint.port, 443, 'a port that is learnt later counts, too');
});

t.test('an address of a relay that does not answer costs 250 ms', async (t) => {
  const bench = new PoolBench(1, 12);
  const relay = bench.relays[0] as NodeInfo;
  const lost = at('2001:db8::77', 443);
  bench.streams.blackHoles.add(lost.address);
  const { pool, address } = bench.pool();
  pool.add({ ...relay, endpoint: lost });
  pool.add(relay);
  bench.clock.advance(249);
  t.equal(bench.streams.dialled, 1);
  bench.clock.advance(101);
  t.same(pool.homes, [relay]);
  t.equal(bench.streams.connectionsOf(address), 1, 'the other attempt is ended');
});

t.test(
  'another host that answers quickly at an address named for a relay does not keep us from the relay',
  async (t) => {
    const bench = new PoolBench(1, 13);
    const relay = bench.relays[0] as NodeInfo;
    const false_ = at('203.0.113.200', 443);
    startSimulatedRelay(bench, generateKeyPair(bench.random), false_);
    const { pool } = bench.pool();
    pool.add({ ...relay, endpoint: false_ });
    pool.add(relay);
    bench.clock.advance(15_000);
    t.same(pool.homes, [relay]);
  },
);

t.test('an address where a relay has answered outlives all addresses that were only named', async (t) => {
  const bench = new PoolBench(1, 11);
  const relay = bench.relays[0] as NodeInfo;
  const { pool } = bench.pool();
  pool.add(relay);
  bench.clock.advance(1_000);
  t.equal(pool.homes.length, 1);
  for (let port = 1; port <= 30; port += 1) pool.add({ ...relay, endpoint: at('198.51.100.77', port) });
  bench.streams.reset(relay.endpoint.address);
  bench.clock.advance(60_000);
  t.same(pool.homes, [relay], 'it is found again where it was');
});

t.test('peers that are tied to the same relay reach each other there', async (t) => {
  const bench = new PoolBench(1, 4);
  const [a, b, link] = bench.pair();
  t.equal(link.state, 'ready');
  link.route.send(DATA);
  bench.clock.advance(100);
  t.same(b.received[0]?.packet, DATA);
  b.received[0]?.source.send(Buffer.from('back'));
  bench.clock.advance(100);
  t.equal(String(a.received[0]?.packet), 'back');
  t.equal(a.received[0]?.source.key, link.route.key, 'one route, whichever way');
});

t.test('a peer that is a relay itself is reached there alone, even when it is busy', async (t) => {
  const bench = new PoolBench(1, 14);
  const [a, b, link] = bench.pair();
  const own = bench.addRelay(b.keys);
  b.pool.addOwn(own);
  link.tie(own);
  bench.clock.advance(100);
  bench.streams.blackHoles.add((bench.relays[0] as NodeInfo).endpoint.address);
  link.route.send(DATA);
  bench.clock.advance(100);
  t.same(b.received[0]?.packet, DATA);
  b.received[0]?.source.send(Buffer.from('back'));
  bench.clock.advance(100);
  t.equal(String(a.received[0]?.packet), 'back');
  bench.streams.stalled.add(own.endpoint.address);
  for (let sent = 0; link.state === 'ready' && sent < 1_000; sent += 1) link.route.send(Buffer.alloc(1_000, DATA));
  t.equal(link.state, 'busy');
});

t.test('a stranger is answered over the relay from which its packet came', async (t) => {
  const bench = new PoolBench(2, 5);
  const [a, b] = [bench.pool(), bench.pool()];
  for (const relay of bench.relays) b.pool.add(relay);
  const link = a.link(b.keys.publicKey);
  link.tie(bench.relays[1] as NodeInfo);
  bench.clock.advance(100);
  t.equal(link.state, 'doubtful');
  t.ok(link.isUsable, 'for cookies and handshakes');
  link.route.send(Buffer.from('cookie?'));
  bench.clock.advance(100);
  t.equal(String(b.received[0]?.packet), 'cookie?');
  t.equal(b.received[0]?.source.via?.hex, bench.relays[1]?.publicKey.hex);
  b.received[0]?.source.send(Buffer.from('cookie!'));
  bench.clock.advance(100);
  t.equal(String(a.received[0]?.packet), 'cookie!');
});

t.test('a relay that delivers a packet of a peer out of band is tied to that peer', async (t) => {
  const bench = new PoolBench(2, 6);
  const [a, b] = [bench.pool(), bench.pool()];
  for (const relay of bench.relays) b.pool.add(relay);
  bench.clock.advance(100);
  const back = b.link(a.keys.publicKey);
  const link = a.link(b.keys.publicKey);
  link.tie(bench.relays[1] as NodeInfo);
  bench.clock.advance(100);
  link.route.send(Buffer.from('cookie?'));
  bench.clock.advance(100);
  t.equal(back.state, 'ready');
  t.equal(link.state, 'ready');
});

t.test(
  'connections to relays are closed while the peer is reached directly, and are opened again at once',
  async (t) => {
    const bench = new PoolBench(1, 7);
    const [a, , link] = bench.pair();
    link.setDirect(true);
    bench.clock.advance(5_000);
    t.equal(link.state, 'ready', 'not for a moment');
    bench.clock.advance(30_000);
    t.equal(bench.streams.connectionsOf(a.address), 0);
    t.same(a.events.at(-1), 'unusable');
    link.setDirect(false);
    bench.clock.advance(100);
    t.equal(link.state, 'ready');
  },
);

t.test('home relays stay connected while all peers are reached directly', async (t) => {
  const bench = new PoolBench(1, 8);
  const [a, b] = [bench.pool(), bench.pool()];
  for (const { pool } of [a, b]) pool.add(bench.relays[0] as NodeInfo);
  bench.clock.advance(100);
  const links = [a.link(b.keys.publicKey), b.link(a.keys.publicKey)];
  bench.clock.advance(100);
  for (const link of links) link.setDirect(true);
  bench.clock.advance(60_000);
  t.equal(links[0]?.state, 'ready', 'so that they carry on without a pause');
});

t.test('a link has at most six relays, and closes their connections when it is closed', async (t) => {
  const bench = new PoolBench(20, 9);
  const { pool, address } = bench.pool();
  const link = pool.link(generateKeyPair(bench.random).publicKey, {
    onUsable: () => {},
    onUnusable: () => {},
    onDrain: () => {},
  });
  for (const relay of bench.relays) link.tie(relay);
  bench.clock.advance(60_000);
  t.equal(bench.streams.connectionsOf(address), 6);
  link.close();
  bench.clock.advance(60_000);
  t.equal(bench.streams.connectionsOf(address), 0);
});

t.test('named relays do not replace a relay that is being dialled', async (t) => {
  const bench = new PoolBench(9, 24);
  const [a, b] = [bench.pool(), bench.pool()];
  const [meeting] = bench.relays as [NodeInfo];
  b.link(a.keys.publicKey).tie(meeting);
  bench.clock.advance(1000);
  const link = a.link(b.keys.publicKey);
  for (const relay of bench.relays) link.tie(relay);
  bench.clock.advance(1000);
  t.equal(link.state, 'ready');
  t.equal(link.carrier?.endpoint.key, meeting.endpoint.key);
});

t.test('of two friends that claim the same DHT key neither takes the relays from the other', async (t) => {
  const bench = new PoolBench(1, 13);
  const [a, b, link] = bench.pair();
  const claimed = a.link(b.keys.publicKey);
  claimed.tie(bench.relays[0] as NodeInfo);
  bench.clock.advance(100);
  t.equal(claimed.state, 'ready');
  claimed.close();
  bench.clock.advance(100);
  t.equal(link.state, 'ready');
  link.route.send(DATA);
  bench.clock.advance(100);
  t.same(b.received[0]?.packet, DATA);
});

t.test('a full socket makes the route busy until it drains', async (t) => {
  const bench = new PoolBench(1, 10);
  const [a, b, link] = bench.pair();
  const relay = (bench.relays[0] as NodeInfo).endpoint.address;
  bench.streams.stalled.add(relay);
  let sent = 0;
  while (link.state === 'ready') {
    link.route.send(Buffer.concat([DATA, Buffer.alloc(1_000)]));
    sent += 1;
  }
  t.equal(link.state, 'busy');
  bench.streams.resume(relay);
  bench.clock.advance(100);
  t.equal(link.state, 'ready');
  t.ok(a.events.includes('drain'));
  t.equal(b.received.length, sent, 'nothing was lost');
});

t.test('a relay that stops reading is dialled again at once', async (t) => {
  const bench = new PoolBench(1, 14);
  bench.streams.delay = 10;
  bench.streams.capacity = 2 ** 20;
  const [, b, link] = bench.pair();
  const relay = (bench.relays[0] as NodeInfo).endpoint.address;
  const sendFor = (duration: number): void => {
    for (let passed = 0; passed < duration; passed += 10) {
      while (link.state === 'ready') link.route.send(Buffer.concat([DATA, Buffer.alloc(1_300)]));
      bench.clock.advance(10);
    }
  };
  sendFor(500);
  t.ok(b.received.length > 500);
  const before = bench.streams.dialled;
  bench.streams.stalled.add(relay);
  sendFor(1_600);
  t.equal(bench.streams.dialled, before + 1);
  bench.streams.resume(relay);
  bench.clock.advance(100);
  t.equal(link.state, 'ready');
});

t.test('a relay that ends every connection at once is not dialled too often', async (t) => {
  const bench = new PoolBench(1, 11);
  const [relay] = bench.relays as [NodeInfo];
  const [a] = [bench.pool()];
  a.pool.add(relay);
  for (let count = 0; count < 600; count += 1) {
    bench.clock.advance(100);
    bench.streams.reset(relay.endpoint.address);
  }
  t.ok(bench.streams.dialled < 30, `${bench.streams.dialled} connections in a minute`);
});

t.test('stop leaves nothing behind', async (t) => {
  const bench = new PoolBench(3, 12);
  const [a, b] = bench.pair();
  for (const relay of bench.relays) a.pool.add(relay);
  bench.clock.advance(100);
  for (const { pool } of [a, b]) pool.stop();
  bench.clock.advance(100);
  t.equal(bench.streams.connections, 0);
  t.equal(bench.clock.pending, 0);
});

t.test('our own relay is named with its external address when a router has mapped another port', async (t) => {
  const bench = new PoolBench(1, 30);
  const tester = bench.pool();
  tester.pool.addOwn(bench.relays[0] as NodeInfo);
  bench.clock.advance(1_000);
  const named = (): string[] => tester.pool.meetingPlaces.map(({ endpoint }) => endpoint.key);
  t.same(named(), ['203.0.113.1:443']);
  tester.externalEndpoint = at('192.0.2.1', 443);
  t.same(named(), ['203.0.113.1:443'], 'at the same port others find it where they see us');
  tester.externalEndpoint = at('192.0.2.1', 7000);
  t.same(named(), ['192.0.2.1:7000']);
  tester.pool.stop();
});
