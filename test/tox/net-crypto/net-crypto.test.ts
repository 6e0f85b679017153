import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import type { Route } from '../../../src/tox/net-crypto/path/route.js';
import { type CryptoPeer, connectedPair, isInOrder, Notes, numbered, sendAll, World } from './crypto-peers.js';
import { hostileInputs } from './hostile.js';

const COOKIE_REQUEST = 0x18;
const COOKIE_RESPONSE = 0x19;
const HANDSHAKE = 0x1a;
const DATA = 0x1b;

function twoPeers(seed = 1): { world: World; alice: CryptoPeer; bob: CryptoPeer } {
  const world = new World(seed);
  return { world, alice: world.peer('203.0.113.1'), bob: world.peer('203.0.113.2') };
}

t.test('two peers connect, and each is notified once', async (t) => {
  const { near, far } = connectedPair();
  t.equal(near.connection.state, 'established');
  t.equal(far.connection.state, 'established');
  t.same(near.notes.events, ['established']);
  t.same(far.notes.events, ['established']);
});

t.test('data sent before the session exists arrives after two and a half round trips', async (t) => {
  const { world, alice, bob } = twoPeers();
  world.network.faults.delay = 10;
  const { connection } = alice.connect(bob);
  connection.sendLossless(numbered(0));
  connection.sendLossless(numbered(1));
  const isThere = (): boolean => bob.accepted[0]?.notes.lossless.length === 2;
  t.ok(world.clock.runUntil(isThere, 51), 'cookie request, cookie, handshake, handshake, data');
});

t.test('the acceptor can send data right after its handshake', async (t) => {
  const { world, alice, bob } = twoPeers();
  world.network.faults.delay = 10;
  bob.onAccepted = (connection) => {
    connection.sendLossless(numbered(0));
    connection.sendLossless(numbered(1));
  };
  const { notes } = alice.connect(bob);
  t.ok(
    world.clock.runUntil(() => notes.lossless.length === 2, 41),
    'cookie request, cookie, handshake, handshake',
  );
});

t.test('both peers may connect at once', async (t) => {
  const { world, alice, bob } = twoPeers();
  const [a, b] = [alice.connect(bob), bob.connect(alice)];
  a.connection.sendLossless(numbered(0));
  b.connection.sendLossless(numbered(0));
  world.clock.advance(50);
  for (const { connection, notes } of [a, b]) {
    t.equal(connection.state, 'established');
    t.ok(isInOrder(notes.lossless, 1));
  }
  t.equal(alice.offers.length + bob.offers.length, 0);
});

for (const [kind, from] of [
  [COOKIE_REQUEST, 'alice'],
  [COOKIE_RESPONSE, 'bob'],
  [HANDSHAKE, 'alice'],
  [HANDSHAKE, 'bob'],
  [DATA, 'alice'],
  [DATA, 'bob'],
] as const) {
  t.test(`the first packets of kind 0x${kind.toString(16)} from ${from} may get lost`, async (t) => {
    const { world, alice, bob } = twoPeers();
    let left = 2;
    const sender = from === 'alice' ? alice : bob;
    world.network.filter = (packet, source) => {
      if (packet[0] !== kind || !source.equals(sender.endpoint) || left === 0) return true;
      left -= 1;
      return false;
    };
    const near = alice.connect(bob);
    near.connection.sendLossless(numbered(0));
    bob.onAccepted = (connection) => connection.sendLossless(numbered(0));
    world.clock.runUntil(() => near.notes.lossless.length === 1 && bob.accepted[0]?.notes.lossless.length === 1, 1500);
    t.ok(isInOrder(near.notes.lossless, 1));
    t.ok(isInOrder(bob.accepted[0]?.notes.lossless ?? [], 1));
    t.equal(bob.accepted.length, 1);
    t.equal(left, 0);
  });
}

t.test('a retransmitted handshake has the same bytes', async (t) => {
  const { world, alice, bob } = twoPeers();
  const handshakes = new Set<string>();
  let count = 0;
  world.network.filter = (packet) => {
    if (packet[0] !== HANDSHAKE) return true;
    handshakes.add(packet.toString('hex'));
    count += 1;
    return false;
  };
  alice.connect(bob);
  world.clock.advance(3000);
  t.ok(count > 3);
  t.equal(handshakes.size, 1);
});

t.test('a connection that gets no answer gives up after eight attempts', async (t) => {
  const { world, alice, bob } = twoPeers();
  bob.crash();
  const { connection, notes } = alice.connect(bob);
  world.clock.advance(6000);
  t.same(notes.events, ['closed: timeout']);
  t.equal(connection.state, 'closed');
  t.equal(world.network.sent, 8);
  t.ok(connection.sendLossless(numbered(0)), 'it takes all and sends nothing');
  t.doesNotThrow(() => alice.connect(bob), 'its place is free');
});

t.test('a connection without a route waits for one and makes no attempts', async (t) => {
  const { world, alice, bob } = twoPeers();
  const notes = new Notes();
  const connection = alice.netCrypto.connect(bob.keys, notes);
  world.clock.advance(60_000);
  t.equal(world.network.sent, 0);
  connection.setEndpoint(bob.endpoint);
  world.clock.advance(10);
  t.same(notes.events, ['established']);
});

t.test('a connection offer that is not accepted gets no answer', async (t) => {
  const { world, alice, bob } = twoPeers();
  bob.accepts = false;
  const kinds = new Set<number>();
  world.network.filter = (packet, source) => {
    if (source.equals(bob.endpoint)) kinds.add(packet[0] as number);
    return true;
  };
  const { notes } = alice.connect(bob);
  world.clock.advance(20_000);
  t.ok(bob.offers.length > 0);
  t.same([...kinds], [COOKIE_RESPONSE]);
  t.same(notes.events, ['closed: timeout']);
  t.throws(() => bob.offers[0]?.accept(new Notes()), /too late/);
});

t.test('5000 packets arrive in order and intact through loss, reordering and duplication', async (t) => {
  const { world, near, far } = connectedPair(7);
  Object.assign(world.network.faults, { delay: 10, jitter: 20, loss: 0.3, duplicate: 0.1 });
  sendAll(near.connection, near.notes, 5000);
  sendAll(far.connection, far.notes, 5000);
  world.clock.runUntil(() => far.notes.lossless.length >= 5000 && near.notes.lossless.length >= 5000, 120_000);
  t.ok(isInOrder(far.notes.lossless, 5000));
  t.ok(isInOrder(near.notes.lossless, 5000));
});

t.test('lossy packets are sent once, and only within a session', async (t) => {
  const { world, alice, bob } = twoPeers();
  const { connection } = alice.connect(bob);
  t.notOk(connection.sendLossy(Buffer.from([200, 1])));
  t.equal(alice.netCrypto.lossyDropped, 1);
  world.clock.advance(100);
  t.ok(connection.sendLossy(Buffer.from([200, 2])));
  world.clock.advance(5000);
  t.same(bob.accepted[0]?.notes.lossy, [Buffer.from([200, 2])]);
  connection.kill();
  t.equal(alice.netCrypto.lossyDropped, 1, 'counted also after the connection');
});

t.test('sending data with an invalid id or length throws', async (t) => {
  const { near } = connectedPair();
  for (const data of [Buffer.alloc(0), Buffer.from([15]), Buffer.from([192]), Buffer.alloc(1446, 162)]) {
    t.throws(() => near.connection.sendLossless(data), RangeError);
  }
  t.throws(() => near.connection.sendLossy(Buffer.from([191])), RangeError);
  t.throws(() => near.connection.sendLossy(Buffer.from([255])), RangeError);
});

t.test('a kill reaches the peer even when two of its three copies are lost', async (t) => {
  const { world, near, far } = connectedPair();
  let lost = 0;
  world.network.filter = () => {
    lost += 1;
    return lost > 2;
  };
  near.connection.kill();
  world.clock.advance(10);
  t.same(far.notes.events, ['established', 'closed: killed']);
  t.same(near.notes.events, ['established'], 'onClosed is not called for an own kill');
});

t.test('a stopped net_crypto sends kill packets to all peers and leaves no timer behind', async (t) => {
  const { world, alice, bob, far } = connectedPair();
  alice.netCrypto.stop();
  world.clock.advance(10);
  t.same(far.notes.events, ['established', 'closed: killed']);
  bob.netCrypto.stop();
  world.clock.advance(2000);
  t.equal(world.clock.pending, 0);
});

t.test('a peer that restarts with another DHT key replaces its session', async (t) => {
  const { world, alice, bob, far } = connectedPair();
  alice.crash();
  const reborn = world.peer('203.0.113.9', alice.identity);
  const again = reborn.connect(bob);
  again.connection.sendLossless(numbered(0));
  world.clock.advance(100);
  t.same(far.notes.events, ['established', 'closed: replaced']);
  t.ok(isInOrder(bob.accepted[1]?.notes.lossless ?? [], 1));
  t.equal(bob.accepted[1]?.connection.state, 'established');
});

t.test('a restarted peer replaces its session from the same address as well', async (t) => {
  const { world, alice, bob } = connectedPair();
  alice.crash();
  const reborn = world.peer('203.0.113.1', alice.identity);
  reborn.connect(bob);
  world.clock.advance(100);
  t.equal(bob.accepted[1]?.connection.state, 'established');
});

t.test('a peer that lost the session but kept its DHT key replaces it after a silence', async (t) => {
  const { world, alice, bob, near } = connectedPair();
  world.network.blackHoles.add(bob.endpoint.key);
  near.connection.kill();
  world.clock.advance(100);
  world.network.blackHoles.clear();
  alice.connect(bob);
  world.clock.advance(1000);
  t.equal(bob.accepted.length, 1, 'not at once: it could be a copy of an old handshake');
  world.clock.advance(4000);
  t.equal(bob.accepted.length, 2);
  t.equal(bob.accepted[1]?.connection.state, 'established');
});

t.test('replayed old handshakes neither end nor move a session', async (t) => {
  const { world, alice, bob } = twoPeers();
  const handshakes: Buffer[] = [];
  world.network.filter = (packet, from) => {
    if (packet[0] === HANDSHAKE && from.address === '203.0.113.1') handshakes.push(Buffer.from(packet));
    return true;
  };
  alice.connect(bob);
  world.clock.advance(100);
  alice.crash();
  const reborn = world.peer('203.0.113.1', alice.identity);
  const { connection } = reborn.connect(bob);
  world.clock.advance(100);
  const present = bob.accepted[1];
  t.equal(present?.connection.state, 'established');
  const thief = Endpoint.of('198.51.100.66', 1) as Endpoint;
  for (const handshake of handshakes) bob.router.receive(handshake, thief);
  world.clock.advance(100);
  t.equal(bob.accepted.length, 2);
  t.equal(present?.connection.endpoint?.key, reborn.endpoint.key);
  present?.connection.sendLossless(numbered(0));
  connection.sendLossless(numbered(0));
  world.clock.advance(100);
  t.ok(isInOrder(present?.notes.lossless ?? [], 1));
});

t.test('a peer whose address changes continues without a new handshake', async (t) => {
  const { world, alice, bob, near, far } = connectedPair();
  sendAll(near.connection, near.notes, 500);
  sendAll(far.connection, far.notes, 500);
  world.clock.advance(3);
  alice.move('198.51.100.7', 40_001);
  world.clock.advance(2000);
  t.ok(isInOrder(far.notes.lossless, 500));
  t.ok(isInOrder(near.notes.lossless, 500));
  t.equal(far.connection.endpoint?.key, '198.51.100.7:40001');
  t.equal(bob.accepted.length, 1);
});

t.test('replayed data packets from another address do not move a session', async (t) => {
  const { world, bob, near, far, alice } = connectedPair();
  const copies: Buffer[] = [];
  world.network.filter = (packet, from) => {
    if (packet[0] === DATA && from.equals(alice.endpoint)) copies.push(Buffer.from(packet));
    return true;
  };
  sendAll(near.connection, near.notes, 20);
  world.clock.advance(100);
  const elsewhere = Endpoint.of('198.51.100.66', 1) as Endpoint;
  for (const copy of copies) bob.router.receive(copy, elsewhere);
  world.clock.advance(100);
  t.equal(far.connection.endpoint?.key, alice.endpoint.key);
  t.notOk(far.connection.hasRoute(elsewhere.key));
  t.ok(isInOrder(far.notes.lossless, 20));
});

t.test('an address that is reported for another peer stays with the peer that uses it', async (t) => {
  const { world, alice, bob, near, far } = connectedPair();
  const mallory = world.peer('203.0.113.66');
  mallory.connect(bob);
  world.clock.advance(100);
  bob.accepted[1]?.connection.setEndpoint(alice.endpoint);
  sendAll(near.connection, near.notes, 3000);
  world.clock.advance(500);
  t.ok(isInOrder(far.notes.lossless, 3000));
  t.equal(bob.netCrypto.dropped, 0, 'found without trying all sessions each time');
  t.equal(bob.accepted[1]?.connection.endpoint?.key, mallory.endpoint.key);
});

t.test('all routes are tried at first, and the one that answers is used', async (t) => {
  const { world, alice, bob } = twoPeers();
  const notes = new Notes();
  const connection = alice.netCrypto.connect(bob.keys, notes);
  for (const address of ['192.168.1.77', '198.51.100.1']) {
    connection.setEndpoint(Endpoint.of(address, 33445) as Endpoint);
  }
  connection.setEndpoint(bob.endpoint);
  world.clock.advance(100);
  t.same(notes.events, ['established']);
  t.equal(connection.endpoint?.key, bob.endpoint.key);
  t.ok(connection.isDirect);
});

t.test('a relay route connects, and UDP takes over once it works', async (t) => {
  const { world, alice, bob } = twoPeers();
  let relayed = 0;
  const relayTo = (peer: CryptoPeer, back: () => Route): Route => ({
    key: 'relay-1',
    kind: 'relay',
    isLan: false,
    endpoint: undefined,
    pacesItself: false,
    state: 'ready',
    send: (packet) => {
      relayed += 1;
      const copy = Buffer.from(packet);
      world.clock.after(30, () => peer.netCrypto.receive(copy, back()));
    },
  });
  const toBob: Route = relayTo(bob, () => toAlice);
  const toAlice: Route = relayTo(alice, () => toBob);
  const near = { notes: new Notes() };
  const connection = alice.netCrypto.connect(bob.keys, near.notes);
  connection.addRoute(toBob);
  sendAll(connection, near.notes, 100);
  world.clock.advance(1000);
  const far = bob.accepted[0];
  t.ok(isInOrder(far?.notes.lossless ?? [], 100));
  t.notOk(connection.isDirect);
  connection.setEndpoint(bob.endpoint);
  far?.connection.setEndpoint(alice.endpoint);
  world.clock.advance(9000);
  t.ok(connection.isDirect && far?.connection.isDirect);
  const before = relayed;
  world.clock.advance(5000);
  t.equal(relayed, before);
});

t.test('without UDP an address of the peer is not a route to it', async (t) => {
  const world = new World();
  world.hasUdp = false;
  const [alice, bob] = [world.peer('203.0.113.1'), world.peer('203.0.113.2')];
  const { connection } = alice.connect(bob);
  world.clock.advance(1000);
  t.equal(connection.endpoint, undefined);
  t.equal(world.network.sent, 0);
});

t.test(
  'an address is a route to the peer while packets come from it, but not while it is unverified or silent',
  async (t) => {
    const { world, alice, bob } = twoPeers();
    const notes = new Notes();
    const ways: (string | undefined)[] = [];
    notes.onRouteChange = (route) => void ways.push(route?.key);
    const connection = alice.netCrypto.connect(bob.keys, notes);
    connection.setEndpoint(Endpoint.of('198.51.100.1', 33445) as Endpoint);
    world.clock.advance(1000);
    t.same(ways, []);
    connection.setEndpoint(bob.endpoint);
    world.clock.advance(1000);
    t.same(ways, [bob.endpoint.key]);
    world.network.filter = () => false;
    world.clock.advance(12_000);
    t.same(ways, [bob.endpoint.key, undefined]);
    world.network.filter = undefined;
    world.clock.advance(5000);
    t.same(ways, [bob.endpoint.key, undefined, bob.endpoint.key]);
  },
);

t.test('hostile packets do not disturb an established session', async (t) => {
  const { world, alice, bob, near, far } = connectedPair(11);
  const samples: Buffer[] = [];
  world.network.filter = (packet) => {
    if (samples.length < 200) samples.push(Buffer.from(packet));
    return true;
  };
  bob.connect(world.peer('203.0.113.3'));
  sendAll(near.connection, near.notes, 300);
  world.clock.advance(50);
  const sources = [alice.endpoint, Endpoint.of('198.51.100.66', 1) as Endpoint];
  for (const packet of hostileInputs(world.random, samples, 2000)) {
    bob.router.receive(packet, sources[world.random.below(2)] as Endpoint);
    if (world.random.below(10) === 0) world.clock.advance(5);
  }
  near.notes.onRoom = undefined;
  near.connection.sendLossless(numbered(300));
  world.clock.advance(2000);
  t.ok(isInOrder(far.notes.lossless, 301));
  t.same(far.notes.events, ['established']);
});

/** The cookie request of the first peer, which the second never gets, and the number of answers of the second. */
function overheardRequest({ world, alice, bob }: ReturnType<typeof twoPeers>): {
  request: Buffer;
  answers: () => number;
} {
  let request: Buffer | undefined;
  let answers = 0;
  world.network.filter = (packet, from) => {
    if (packet[0] === COOKIE_REQUEST) request ??= Buffer.from(packet);
    if (packet[0] === COOKIE_RESPONSE && from.equals(bob.endpoint)) answers += 1;
    return false;
  };
  alice.connect(bob);
  world.clock.advance(1);
  return { request: request as unknown as Buffer, answers: () => answers };
}

t.test('a flood of cookie requests is answered at a limited rate', async (t) => {
  const peers = twoPeers();
  const { alice, bob } = peers;
  const { request, answers } = overheardRequest(peers);
  for (let count = 0; count < 2000; count += 1) bob.router.receive(request, alice.endpoint);
  t.ok(answers() > 0 && answers() <= 1001, `${answers()}`);
  t.ok(bob.netCrypto.dropped >= 999);
});

t.test('neither garbage nor made-up keys delay a known peer', async (t) => {
  const peers = twoPeers();
  const { alice, bob } = peers;
  const { request: genuine, answers } = overheardRequest(peers);
  for (const packet of [genuine.subarray(0, 1), Buffer.alloc(385, HANDSHAKE), Buffer.alloc(1400, HANDSHAKE)]) {
    for (let count = 0; count < 2000; count += 1) bob.router.receive(packet, alice.endpoint);
  }
  bob.router.receive(genuine, alice.endpoint);
  t.equal(answers(), 1, 'what is not even well made costs nothing');
  const garbage = Buffer.from(genuine);
  for (let made = 0; made < 2000; made += 1) {
    garbage.writeUInt32BE(made, 1);
    bob.router.receive(garbage, alice.endpoint);
  }
  bob.router.receive(genuine, alice.endpoint);
  t.equal(answers(), 2);
});

t.test('connecting twice to the same peer throws', async (t) => {
  const { alice, bob } = connectedPair();
  t.throws(() => alice.netCrypto.connect(bob.keys, new Notes()), RangeError);
});

t.test('a handler may kill its connection while packets are delivered', async (t) => {
  const { world, near, far } = connectedPair();
  world.network.faults.jitter = 5;
  far.notes.onPacket = () => {
    if (far.notes.lossless.length === 10) far.connection.kill();
  };
  sendAll(near.connection, near.notes, 100);
  world.clock.advance(1000);
  t.equal(far.notes.lossless.length, 10);
  t.same(near.notes.events.at(-1), 'closed: killed');
});

t.test('a connection whose peer leaves out one packet is closed after 60 s and releases its memory', async (t) => {
  const { world, alice, bob, near, far } = connectedPair();
  alice.shape = (packet, forward) => {
    if (packet[0] !== DATA || packet.length < 1000) forward();
  };
  near.connection.sendLossless(numbered(0, 1000));
  for (let at = 1; at < 50; at += 1) near.connection.sendLossless(numbered(at));
  world.clock.advance(50_000);
  t.ok(bob.netCrypto.heldBytes > 49 * 64);
  t.equal(far.connection.state, 'established');
  world.clock.advance(15_000);
  t.match(far.notes.events, ['established', 'closed: stuck']);
  t.equal(bob.netCrypto.heldBytes, 0);
  near.connection.kill();
  t.equal(alice.netCrypto.heldBytes, 0);
});

t.test('a connection releases all its memory, whatever is lost and whenever it ends', async (t) => {
  for (const seed of [1, 2, 3, 4]) {
    const { world, alice, bob, near, far } = connectedPair(seed);
    Object.assign(world.network.faults, { loss: 0.1, delay: 20, jitter: 20, duplicate: 0.05 });
    sendAll(near.connection, near.notes, 50_000, 1000);
    sendAll(far.connection, far.notes, 50_000, 1000);
    world.clock.advance(100 + world.random.below(2000));
    t.ok(alice.netCrypto.heldBytes > 0 && bob.netCrypto.heldBytes > 0, `seed ${seed}`);
    near.connection.kill();
    far.connection.close('timeout');
    world.clock.advance(1000);
    t.equal(alice.netCrypto.heldBytes + bob.netCrypto.heldBytes, 0, `seed ${seed}`);
  }
});
