import t from 'tap';
import type { Endpoint } from '../../../src/base/endpoint.js';
import { silentLogger } from '../../../src/base/logger.js';
import { sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair, type KeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import { FriendRelays } from '../../../src/tox/friend/friend-relays.js';
import { encodeSharedRelays } from '../../../src/tox/packet/friend.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { RelayPool } from '../../../src/tox/relay/relay-pool.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { startSimulatedRelay } from '../../support/simulated-relay.js';
import { SimulatedStreams } from '../../support/simulated-streams.js';

/** The relays of one friend above a real pool, whose attempts to connect are written down. */
class Bench {
  readonly clock = new ManualClock();
  readonly random = new SeededRandom(1);
  readonly keys = generateKeyPair(this.random);
  readonly friend = this.key();
  /** Where the friend's DHT node has answered. */
  endpoints: readonly Endpoint[] = [];
  readonly streams = new SimulatedStreams(this.clock, this.random);
  readonly dialled: string[] = [];
  readonly pool: RelayPool;
  readonly relays: FriendRelays;

  constructor() {
    const { clock, random, keys } = this;
    const dial = this.streams.dialer('198.51.100.1');
    this.pool = new RelayPool(
      {
        clock,
        random,
        log: silentLogger,
        dial: (to, handlers) => {
          this.dialled.push(to.key);
          return dial(to, handlers);
        },
        ownKey: keys.publicKey,
        sharedKey: (key) => sharedKey(key, keys.secretKey),
      },
      { onPacket: () => {}, onOnion: () => {}, onHomeConnected: () => {} },
    );
    this.relays = new FriendRelays({
      clock,
      pool: this.pool,
      connection: () => undefined,
      endpoints: () => this.endpoints,
      onRelayLost: () => {},
    });
    this.relays.open(this.friend);
  }

  key(): PublicKey {
    return generateKeyPair(this.random).publicKey;
  }

  /** A relay of our own that answers. @returns takes it off the network */
  runHome(keyPair: KeyPair, endpoint: Endpoint): () => void {
    const listener = startSimulatedRelay(this, keyPair, endpoint);
    return () => {
      listener.close();
      this.streams.reset(endpoint.address);
    };
  }

  named(...relays: NodeInfo[]): void {
    this.relays.handleShared(encodeSharedRelays(relays));
    // A relay is dialled at the end of the turn, with all its addresses.
    this.clock.advance(0);
  }
}

t.test('relays named by a friend are tried', async (t) => {
  const bench = new Bench();
  bench.named(
    { publicKey: bench.key(), endpoint: at('203.0.113.1', 443) },
    { publicKey: bench.key(), endpoint: at('192.168.1.9', 443) },
  );
  t.same(bench.dialled, ['203.0.113.1:443', '192.168.1.9:443']);
});

t.test('a friend that names relays without end makes us connect to a bounded number', async (t) => {
  const bench = new Bench();
  for (let port = 1; port <= 1_000; port += 1) {
    bench.named({ publicKey: bench.key(), endpoint: at('203.0.113.1', port) });
    bench.clock.advance(10);
  }
  t.ok(bench.dialled.length < 40, `knocked ${bench.dialled.length} times`);
  bench.clock.advance(120_000);
  bench.named({ publicKey: bench.key(), endpoint: at('203.0.113.2', 443) });
  t.equal(bench.dialled.at(-1), '203.0.113.2:443', 'later others have their turn');
});

t.test('a relay at a loopback address is used only for a friend on this machine', async (t) => {
  const bench = new Bench();
  bench.relays.learnHost(at('127.0.0.1', 33445));
  bench.named(
    { publicKey: bench.key(), endpoint: at('127.0.0.1', 22) },
    { publicKey: bench.friend, endpoint: at('127.0.0.1', 25) },
  );
  t.same(bench.dialled, []);
  bench.endpoints = [at('127.0.0.1', 33445)];
  bench.named(
    { publicKey: bench.key(), endpoint: at('127.0.0.1', 443) },
    { publicKey: bench.friend, endpoint: at('127.0.0.1', 444) },
  );
  t.same(bench.dialled, ['127.0.0.1:443', '127.0.0.1:444']);
});

t.test('addresses that a friend makes up for a home relay are not tried when that is lost', async (t) => {
  const bench = new Bench();
  const keyPair = generateKeyPair(bench.random);
  const home = { publicKey: keyPair.publicKey, endpoint: at('203.0.113.1', 443) };
  const cut = bench.runHome(keyPair, home.endpoint);
  bench.pool.add(home);
  bench.clock.advance(1_000);
  t.equal(bench.pool.homes.length, 1);
  for (let host = 1; host <= 7; host += 1) bench.named({ ...home, endpoint: at(`198.18.0.${host}`, 443) });
  cut();
  bench.clock.advance(5_000);
  t.same([...new Set(bench.dialled)], [home.endpoint.key]);
});
