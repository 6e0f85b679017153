import t from 'tap';
import type { Endpoint } from '../../../src/base/endpoint.js';
import { silentLogger } from '../../../src/base/logger.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import type { Dht } from '../../../src/tox/dht/dht.js';
import { FriendConnection } from '../../../src/tox/friend/friend-connection.js';
import type { CryptoConnection } from '../../../src/tox/net-crypto/crypto-connection.js';
import type { ConnectionOffer, NetCrypto } from '../../../src/tox/net-crypto/net-crypto.js';
import type { ConnectionHandlers, PeerKeys } from '../../../src/tox/net-crypto/stream/connection-host.js';
import type { FriendSearch } from '../../../src/tox/onion/friend-search.js';
import type { PackedNode } from '../../../src/tox/packet/node-info.js';
import type { RelayPool } from '../../../src/tox/relay/relay-pool.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at, keyOf } from '../../support/nodes.js';

const FRIEND = keyOf('ff');
const [FIRST, SECOND] = [keyOf('01'), keyOf('02')];

/** A friend above a net_crypto and a DHT that only take notes. */
class Bench {
  readonly clock = new ManualClock();
  /** What happened, in order. */
  readonly events: string[] = [];
  /** DHT keys that are searched for. */
  readonly searches: string[] = [];
  /** Of the latest connection. */
  handlers: ConnectionHandlers | undefined;
  lastReceivedAt = 0;
  isDirect = false;
  /** Of each new connection. */
  state = 'cookie-requesting';
  announcements = 0;
  onLost = (): void => {};
  isPaused = false;
  readonly pauses = (isPaused: boolean): void => {
    this.isPaused = isPaused;
  };
  readonly friend = new FriendConnection(
    {
      clock: this.clock,
      log: silentLogger,
      dht: { search: (key: PublicKey) => this.#search(key) } as unknown as Dht,
      netCrypto: {
        connect: (peer: PeerKeys, handlers: ConnectionHandlers) =>
          this.#connection(`connect ${peer.dhtKey.short}`, handlers),
      } as unknown as NetCrypto,
      search: () =>
        ({
          pause: () => this.pauses(true),
          resume: () => this.pauses(false),
          close() {},
          send: () => 0,
        }) as unknown as FriendSearch,
      announcement: () => Buffer.alloc(41),
      sendByDht: () => {
        this.announcements += 1;
      },
      relays: {
        link: (peer: PublicKey) => ({ peer, isUsable: false, tie() {}, setDirect() {}, close() {} }),
        meetingPlaces: [],
      } as unknown as RelayPool,
    },
    FRIEND,
    {
      onConnecting: () => {},
      onKeys: () => this.events.push('keys'),
      onEstablished: () => this.events.push('established'),
      onLost: () => {
        this.events.push('lost');
        this.onLost();
      },
      onLossless: () => {},
      onLossy: () => {},
      onDrain: () => {},
      onReachable: () => {},
      onProgress: () => {},
    },
  );

  announce(noReplay: number, dhtKey: PublicKey, nodes: readonly PackedNode[] = []): void {
    this.friend.handleAnnouncement({ noReplay: BigInt(noReplay), dhtKey, nodes });
  }

  offer(dhtKey: PublicKey): void {
    const accept = (handlers: ConnectionHandlers): CryptoConnection =>
      this.#connection(`accept ${dhtKey.short}`, handlers);
    this.friend.handleOffer({ realKey: FRIEND, dhtKey, accept } as unknown as ConnectionOffer);
  }

  establish(): void {
    this.lastReceivedAt = this.clock.now();
    this.handlers?.onEstablished();
  }

  taken(): string[] {
    return this.events.splice(0);
  }

  #search(key: PublicKey): unknown {
    this.searches.push(key.short);
    return {
      endpoints: [],
      learn: ({ endpoint }: PackedNode) => this.events.push(`learn ${endpoint.key}`),
      close: () => this.searches.splice(this.searches.indexOf(key.short), 1),
    };
  }

  #connection(event: string, handlers: ConnectionHandlers): CryptoConnection {
    this.events.push(event);
    this.handlers = handlers;
    const bench = this;
    return {
      state: this.state,
      get lastReceivedAt() {
        return bench.lastReceivedAt;
      },
      get isDirect() {
        return bench.isDirect;
      },
      setEndpoint: (endpoint: Endpoint) => this.events.push(`try ${endpoint.key}`),
      sendLossless: () => true,
      kill: () => this.events.push('kill'),
    } as unknown as CryptoConnection;
  }
}

const connect = (key: PublicKey): string => `connect ${key.short}`;
const accept = (key: PublicKey): string => `accept ${key.short}`;

t.test(
  'our new addresses are announced at once to friends that are not connected directly, and only to them',
  async (t) => {
    const bench = new Bench();
    bench.announce(1, FIRST);
    bench.establish();
    bench.announcements = 0;
    bench.friend.announceAgain();
    t.equal(bench.announcements, 1);
    bench.isDirect = true;
    bench.friend.announceAgain();
    t.equal(bench.announcements, 1);
  },
);

t.test('a new DHT key means that the friend has restarted', async (t) => {
  const bench = new Bench();
  bench.announce(100, FIRST);
  bench.establish();
  bench.announce(101, FIRST);
  t.same(bench.taken(), [connect(FIRST), 'established'], 'the same key again means nothing');
  bench.announce(102, SECOND);
  t.same(bench.taken(), ['kill', 'lost', connect(SECOND)]);
  t.same(bench.searches, [SECOND.short]);
});

t.test('a replayed announcement ends no connection', async (t) => {
  const bench = new Bench();
  bench.announce(100, FIRST);
  bench.establish();
  bench.announce(200, SECOND);
  bench.establish();
  bench.taken();
  for (let round = 0; round < 3; round += 1) bench.announce(100, FIRST);
  bench.announce(200, SECOND);
  t.same(bench.taken(), []);
});

t.test('a replayed announcement ends no connection of a friend that came back by itself', async (t) => {
  const bench = new Bench();
  bench.announce(100, FIRST);
  bench.establish();
  bench.handlers?.onClosed('killed');
  bench.offer(SECOND);
  bench.establish();
  bench.taken();
  bench.announce(100, FIRST);
  t.same(bench.taken(), []);
});

t.test('a DHT key without an answer expires after two minutes, and its search ends', async (t) => {
  const bench = new Bench();
  bench.announce(100, FIRST);
  bench.clock.advance(121_000);
  t.same(bench.searches, [FIRST.short]);
  bench.clock.advance(2_000);
  t.same(bench.searches, []);
  t.same(bench.taken(), [connect(FIRST), 'kill']);
  bench.announce(50, SECOND);
  t.same(bench.taken(), [connect(SECOND)], 'whose clock was set back counts again');
});

t.test('the DHT key expires two minutes after the end of a connection', async (t) => {
  const bench = new Bench();
  bench.announce(100, FIRST);
  bench.establish();
  for (let second = 0; second < 1_000; second += 1) {
    bench.lastReceivedAt = bench.clock.now();
    bench.clock.advance(1_000);
  }
  t.same(bench.taken(), [connect(FIRST), 'established']);
  bench.handlers?.onClosed('killed');
  bench.clock.advance(60_000);
  t.same(bench.taken(), ['lost', connect(FIRST)]);
  bench.clock.advance(63_000);
  t.same(bench.taken(), ['kill']);
  t.same(bench.searches, []);
});

t.test('a failed attempt is followed by the next one after a second', async (t) => {
  const bench = new Bench();
  bench.announce(100, FIRST);
  bench.handlers?.onClosed('timeout');
  bench.clock.advance(999);
  t.same(bench.taken(), [connect(FIRST)]);
  bench.clock.advance(1);
  t.same(bench.taken(), [connect(FIRST)]);
});

t.test('a friend that falls silent is searched for until its packets arrive again', async (t) => {
  const bench = new Bench();
  bench.announce(100, FIRST);
  bench.establish();
  t.ok(bench.isPaused);
  bench.clock.advance(8_000);
  t.notOk(bench.isPaused);
  bench.lastReceivedAt = 15_000;
  bench.clock.advance(8_000);
  t.ok(bench.isPaused);
  t.same(bench.taken(), [connect(FIRST), 'established'], 'and the connection was kept');
});

t.test('silence of 32 s ends a connection', async (t) => {
  const bench = new Bench();
  bench.announce(100, FIRST);
  bench.establish();
  bench.clock.advance(32_000);
  t.same(bench.taken(), [connect(FIRST), 'established']);
  bench.clock.advance(8_000);
  t.same(bench.taken(), ['kill', 'lost']);
});

t.test('a handshake replaces any connection', async (t) => {
  const bench = new Bench();
  bench.announce(100, FIRST);
  bench.establish();
  bench.offer(FIRST);
  t.same(bench.taken(), [connect(FIRST), 'established', 'kill', 'lost', accept(FIRST)]);
  bench.establish();
  bench.offer(SECOND);
  t.same(bench.taken(), ['established', 'kill', 'lost', accept(SECOND)]);
  bench.clock.advance(5_000);
  t.same(bench.taken(), [], 'and nothing of before goes on');
});

t.test('a friend may be closed inside the handler of its lost connection', async (t) => {
  for (const newer of [(bench: Bench) => bench.announce(101, SECOND), (bench: Bench) => bench.offer(FIRST)]) {
    const bench = new Bench();
    bench.announce(100, FIRST);
    bench.establish();
    bench.taken();
    bench.onLost = () => bench.friend.close();
    newer(bench);
    t.same(bench.taken(), ['kill', 'lost']);
    t.same(bench.searches, []);
    t.equal(bench.clock.pending, 0);
  }
});

t.test('addresses that belong to no single host are not tried', async (t) => {
  const bench = new Bench();
  const node = (address: string, port?: number): PackedNode => ({
    transport: 'udp',
    endpoint: at(address, port),
    publicKey: FIRST,
  });
  bench.announce(100, FIRST, [node('255.255.255.255'), node('192.0.2.1'), node('192.0.2.1', 0), node('ff02::1')]);
  t.same(bench.taken(), [connect(FIRST), 'learn 192.0.2.1:33445', 'try 192.0.2.1:33445']);
});

t.test('a closed friend leaves nothing behind', async (t) => {
  const bench = new Bench();
  bench.announce(100, FIRST);
  bench.establish();
  bench.friend.refresh();
  bench.friend.close();
  bench.announce(101, SECOND);
  bench.offer(SECOND);
  t.same(bench.taken(), [connect(FIRST), 'established', 'kill', 'lost']);
  t.same(bench.searches, []);
  t.equal(bench.clock.pending, 0);
});

t.test('data can be sent as soon as the keys of a session are known, and once for each connection', async (t) => {
  const bench = new Bench();
  bench.announce(1, FIRST);
  t.equal(bench.friend.writable, undefined);
  bench.handlers?.onKeys();
  bench.handlers?.onKeys();
  t.same(bench.taken(), [connect(FIRST), 'keys']);
  t.ok(bench.friend.writable);
  t.equal(bench.friend.connection, undefined, 'it is not established');
  bench.establish();
  t.equal(bench.friend.writable, bench.friend.connection);
});

t.test('a connection that ends between its keys and its establishment was lost, an earlier one was not', async (t) => {
  const bench = new Bench();
  bench.announce(1, FIRST);
  bench.handlers?.onClosed('timeout');
  t.same(bench.taken(), [connect(FIRST)]);
  bench.clock.advance(1_000);
  bench.handlers?.onKeys();
  bench.handlers?.onClosed('timeout');
  t.same(bench.taken(), [connect(FIRST), 'keys', 'lost']);
  t.equal(bench.friend.writable, undefined);
});

t.test('an accepted handshake has the keys with it', async (t) => {
  const bench = new Bench();
  bench.state = 'not-confirmed';
  bench.offer(FIRST);
  t.same(bench.taken(), [accept(FIRST), 'keys']);
});
