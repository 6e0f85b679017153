/** UDP that works in one direction only, with a relay available: on the simulated clock and network. */
import t from 'tap';
import type { Route } from '../../../../src/tox/net-crypto/path/route.js';
import { UdpKind } from '../../../../src/tox/packet/kind.js';
import { type CryptoPeer, connectedPair, numbered, sendAll } from '../crypto-peers.js';
import { Bottleneck } from '../links.js';

/** ms that a packet takes through the relay. */
const RELAY_DELAY = 30;

type Pair = ReturnType<typeof connectedPair>;

interface Scene extends Pair {
  /** Packets of each peer through the relay. */
  readonly relayed: { alice: number; bob: number };
  /** Datagrams of the session that each peer sent. */
  readonly datagrams: { alice: number; bob: number };
  /** How often the route of each peer has changed. */
  readonly changes: { alice: number; bob: number };
}

/** Two peers that are connected by UDP, and now have a relay as well. */
function scene(): Scene {
  const pair = connectedPair(7);
  const { world, alice, bob, near, far } = pair;
  const relayed = { alice: 0, bob: 0 };
  const datagrams = { alice: 0, bob: 0 };
  const changes = { alice: 0, bob: 0 };
  world.network.faults.delay = 10;
  const routeTo = (peer: CryptoPeer, from: 'alice' | 'bob', back: () => Route): Route => ({
    key: `relay to ${from}`,
    kind: 'relay',
    isLan: false,
    endpoint: undefined,
    pacesItself: true,
    state: 'ready',
    send: (packet) => {
      relayed[from] += 1;
      const copy = Buffer.from(packet);
      world.clock.after(RELAY_DELAY, () => peer.netCrypto.receive(copy, back()));
    },
  });
  const toBob: Route = routeTo(bob, 'alice', () => toAlice);
  const toAlice: Route = routeTo(alice, 'bob', () => toBob);
  near.connection.addRoute(toBob);
  far.connection.addRoute(toAlice);
  for (const [name, peer] of [['alice', alice] as const, ['bob', bob] as const]) {
    peer.shape = (packet, forward) => {
      if (packet[0] === UdpKind.CryptoData) datagrams[name] += 1;
      forward();
    };
  }
  near.notes.onRouteChange = () => {
    changes.alice += 1;
  };
  far.notes.onRouteChange = () => {
    changes.bob += 1;
  };
  world.clock.advance(2000);
  return { ...pair, relayed, datagrams, changes };
}

const drop =
  ({ world, ...peers }: Scene, from: 'alice' | 'bob'): (() => void) =>
  () => {
    world.network.filter = (_packet, source) => source.key !== peers[from].endpoint.key;
  };

/** Sends a packet and returns the ms until it has arrived. */
function delivery({ world }: Scene, from: Pair['near'], to: Pair['far']): number {
  const before = to.notes.lossless.length;
  const start = world.clock.now();
  from.connection.sendLossless(numbered(before));
  while (to.notes.lossless.length === before && world.clock.now() - start < 60_000) world.clock.advance(10);
  return world.clock.now() - start;
}

for (const from of ['alice', 'bob'] as const) {
  t.test(
    `when UDP packets of ${from} are lost, both peers change to the relay within 1.5 s and stay there`,
    async (t) => {
      const one = scene();
      const { world, near, far, datagrams, changes } = one;
      drop(one, from)();
      const [there, back] = [delivery(one, near, far), delivery(one, far, near)];
      t.ok(there < 1500 && back < 1500, `${there} and ${back} ms`);
      world.clock.advance(3000);
      Object.assign(datagrams, { alice: 0, bob: 0 });
      const { alice, bob } = changes;
      t.ok(alice === 1 && bob === 1, `${alice} and ${bob} changes`);
      world.clock.advance(60_000);
      t.same([changes.alice, changes.bob], [1, 1], 'the ways do not change any more');
      t.same([datagrams.alice, datagrams.bob], [0, 0], 'nothing of the session goes by UDP');
      t.ok(delivery(one, near, far) < 100 && delivery(one, far, near) < 100);
    },
  );

  t.test(`UDP is used again when the packets of ${from} arrive again`, async (t) => {
    const one = scene();
    const { world, near, far, relayed } = one;
    drop(one, from)();
    delivery(one, near, far);
    delivery(one, far, near);
    world.clock.advance(20_000);
    t.notOk(near.connection.isDirect || far.connection.isDirect);
    world.network.filter = undefined;
    world.clock.advance(5000);
    t.ok(near.connection.isDirect && far.connection.isDirect);
    const before = { ...relayed };
    world.clock.advance(10_000);
    t.same(relayed, before);
  });

  t.test(`a transfer from alice continues by the relay when UDP packets of ${from} are lost`, async (t) => {
    const one = scene();
    const { world, near, far, alice } = one;
    const link = new Bottleneck(world.clock, { megabits: 2, queueBytes: 20_000 });
    alice.shape = link.shape;
    sendAll(near.connection, near.notes, Number.POSITIVE_INFINITY, 1000);
    world.clock.advance(2000);
    drop(one, from)();
    let [last, longest] = [world.clock.now(), 0];
    far.notes.onPacket = () => {
      longest = Math.max(longest, world.clock.now() - last);
      last = world.clock.now();
      far.notes.lossless.length = 0;
    };
    world.clock.advance(6000);
    longest = Math.max(longest, world.clock.now() - last);
    t.ok(longest < 1500, `nothing came for ${longest} ms`);
  });
}

t.test('only the peer whose packets do not arrive reports that UDP works one way', async (t) => {
  const one = scene();
  const { world, near, far } = one;
  t.notOk(near.connection.isOneWay);
  drop(one, 'alice')();
  delivery(one, near, far);
  world.clock.advance(5000);
  t.ok(near.connection.isOneWay);
  t.notOk(far.connection.isOneWay);
  world.network.filter = undefined;
  world.clock.advance(5000);
  t.notOk(near.connection.isOneWay);
});

t.test('flapping UDP is avoided for longer each time', async (t) => {
  const one = scene();
  const { world, near, far, changes } = one;
  world.clock.every(4000, () => {
    world.network.filter = world.network.filter === undefined ? () => false : undefined;
  });
  world.clock.every(200, () => {
    near.connection.sendLossless(numbered(0));
    far.connection.sendLossless(numbered(0));
  });
  world.clock.advance(120_000);
  const { alice } = changes;
  world.clock.advance(120_000);
  t.ok(alice < 24, `${alice} changes in the first two minutes`);
  t.ok(changes.alice - alice < 8, `${changes.alice - alice} in the next`);
});

t.test('a quiet connection sends at most one probe every 8 s and keeps its route when one is lost', async (t) => {
  const one = scene();
  const { world, near, far, alice, changes } = one;
  let probes = 0;
  const { shape } = alice;
  alice.shape = (packet, forward) => {
    if (packet[0] === UdpKind.CookieRequest) probes += 1;
    else shape(packet, forward);
  };
  for (const { connection } of [near, far]) {
    world.clock.every(8000, () => void connection.sendLossless(numbered(0)));
  }
  world.clock.advance(80_000);
  t.ok(probes <= 10, `${probes}`);
  t.same([changes.alice, changes.bob], [0, 0]);
});

t.test('a route on which the system refuses to send is abandoned at once', async (t) => {
  const one = scene();
  const { near, far, alice } = one;
  alice.refuses = true;
  const there = delivery(one, near, far);
  t.ok(there < 400, `${there} ms`);
});

t.test('UDP with a long round trip is used again as soon as a probe is answered', async (t) => {
  const one = scene();
  const { world, near, far, changes } = one;
  world.network.faults.delay = 400;
  drop(one, 'alice')();
  delivery(one, near, far);
  world.clock.advance(20_000);
  Object.assign(changes, { alice: 0, bob: 0 });
  world.network.filter = undefined;
  world.clock.advance(20_000);
  t.ok(near.connection.isDirect && far.connection.isDirect);
  t.same(changes, { alice: 1, bob: 1 });
});
