import t from 'tap';
import type { CryptoConnection } from '../../../../src/tox/net-crypto/crypto-connection.js';
import type { Route } from '../../../../src/tox/net-crypto/path/route.js';
import { UdpKind } from '../../../../src/tox/packet/kind.js';
import { type CryptoPeer, connectedPair, type Notes, strangePair, World } from '../crypto-peers.js';

import { Bottleneck } from '../links.js';

/** Bytes of the IPv4 and UDP headers. */
const HEADERS = 28;
const SAFE = 1141;
const FULL = 1445;
/** c-toxcore's. */
const THEIR_FULL = 1373;
/** A datagram with half of a full packet. */
const HALF = 752;

interface Flow {
  readonly world: World;
  readonly alice: CryptoPeer;
  readonly bob: CryptoPeer;
  readonly near: { readonly connection: CryptoConnection; readonly notes: Notes };
  readonly far: { readonly connection: CryptoConnection; readonly notes: Notes };
  /** Bytes that arrived in order and intact. */
  received(): number;
  /** The largest datagram that alice sent since the last call, bytes of IPv4. */
  largest(): number;
}

/** Two peers, of which the first sends as much as it may, in packets of the connection's packet size. */
function flow(options: { readonly mtu?: number; readonly delay?: number } = {}, pair = connectedPair(5)): Flow {
  const { world, alice, near, far } = pair;
  Object.assign(world.network.faults, { delay: options.delay ?? 10, mtu: options.mtu ?? 1500 });
  const link = new Bottleneck(world.clock, { megabits: 20, queueBytes: 200_000 });
  let largest = 0;
  alice.shape = (packet, forward) => {
    largest = Math.max(largest, packet.length + HEADERS);
    link.shape(packet, forward);
  };
  let next = 0;
  let received = 0;
  let awaited = 0;
  far.notes.onPacket = (data) => {
    far.notes.lossless.length = 0;
    if (data[0] === 162 && data.readUInt32BE(1) !== awaited) throw new Error('out of order');
    awaited += 1;
    received += data.length;
  };
  const more = (): void => {
    for (;;) {
      const data = Buffer.alloc(near.connection.packetSize, 162);
      data.writeUInt32BE(next, 1);
      if (!near.connection.sendLossless(data)) return;
      next += 1;
    }
  };
  near.notes.onRoom = more;
  more();
  return {
    ...pair,
    received: () => received,
    largest: () => {
      const value = largest;
      largest = 0;
      return value;
    },
  };
}

/** Returns the bytes that arrive in the next second. */
function inASecond({ world, received }: Flow): number {
  const before = received();
  world.clock.advance(1000);
  return received() - before;
}

t.test('no packet above 1,200 bytes is sent before a larger size is proven', async (t) => {
  const { world, largest, near } = flow();
  world.clock.advance(1);
  t.equal(near.connection.packetSize, SAFE);
  largest();
  world.clock.advance(15);
  t.ok(largest() <= 1200, 'but for the probes at the very beginning');
});

t.test('a clean path carries full packets after one round trip', async (t) => {
  const { world, near, largest } = flow({ delay: 25 });
  t.ok(world.clock.runUntil(() => near.connection.packetSize === FULL, 75));
  world.clock.advance(500);
  t.equal(largest(), 1500);
});

t.test('a peer of another kind gets no packet that is larger than those of c-toxcore', async (t) => {
  const { world, near, largest } = flow({}, strangePair(5));
  world.clock.advance(3000);
  t.equal(near.connection.packetSize, THEIR_FULL);
  t.equal(largest(), 1428);
});

for (const [mtu, expected] of [
  [1499, 1476],
  [1476, 1476],
  [1475, 1428],
  [1428, 1428],
  [1420, 1396],
  [1400, 1396],
  [1300, 1260],
  [1280, 1260],
  [1200, 1196],
] as const) {
  t.test(
    `a path that takes ${mtu} bytes is measured as ${expected}, and nothing larger is sent for 10 minutes`,
    async (t) => {
      const stream = flow({ mtu });
      const { world, near, largest } = stream;
      world.clock.advance(4000);
      t.equal(near.connection.packetSize + 27 + HEADERS, expected);
      largest();
      t.ok(inASecond(stream) > 1_800_000);
      t.equal(largest(), expected);
    },
  );
}

/** Loses the first datagrams of alice of some sizes. @param copies how many, by bytes of IPv4 */
function loseFirst({ alice }: Flow, copies: ReadonlyMap<number, number>): void {
  const { shape } = alice;
  const left = new Map(copies);
  alice.shape = (packet, forward) => {
    const size = packet.length + HEADERS;
    const count = left.get(size) ?? 0;
    left.set(size, count - 1);
    if (count <= 0) shape(packet, forward);
  };
}

t.test('a size whose probe is lost twice at random is used after a third one', async (t) => {
  for (const lost of [[1500], [1396, 1428, 1476, 1500]]) {
    const stream = flow({ delay: 25 });
    loseFirst(stream, new Map(lost.map((size) => [size, 2])));
    t.ok(
      stream.world.clock.runUntil(() => stream.near.connection.packetSize === FULL, 5000),
      `${lost}`,
    );
  }
});

t.test('a size whose probes are lost three times is left alone for 11 minutes', async (t) => {
  const stream = flow({ delay: 25 });
  loseFirst(stream, new Map([[1500, 3]]));
  stream.world.clock.advance(30_000);
  t.equal(stream.near.connection.packetSize + 27 + HEADERS, 1476);
  stream.largest();
  inASecond(stream);
  t.equal(stream.largest(), 1476);
});

t.test('on a path that takes less, the smallest size above is lost three times, and the others once', async (t) => {
  const stream = flow({ mtu: 1400 });
  const { alice } = stream;
  const { shape } = alice;
  const sizes: number[] = [];
  alice.shape = (packet, forward) => {
    if (packet.length + HEADERS > 1400) sizes.push(packet.length + HEADERS);
    shape(packet, forward);
  };
  stream.world.clock.advance(30_000);
  t.same(sizes, [1428, 1476, 1500, 1428, 1428]);
});

t.test('a size that did not pass is probed again after 11 minutes, by packets of the size that passes', async (t) => {
  const { world, near } = flow({ mtu: 1300 });
  world.clock.advance(4000);
  near.notes.onRoom = undefined;
  world.network.faults.mtu = 1500;
  world.clock.advance(590_000);
  const send = (): void => {
    for (let count = 0; count < 20; count += 1)
      near.connection.sendLossless(Buffer.alloc(near.connection.packetSize, 163));
    world.clock.advance(200);
  };
  send();
  t.equal(near.connection.packetSize + 27 + HEADERS, 1260);
  world.clock.advance(80_000);
  send();
  t.equal(near.connection.packetSize, FULL);
});

for (const delay of [2, 25, 100]) {
  for (const mtu of [1400, 1300]) {
    t.test(
      `everything in flight arrives within 2 s in a black hole above ${mtu} bytes, ${delay} ms away`,
      async (t) => {
        const stream = flow({ delay });
        stream.world.clock.advance(2000);
        t.equal(stream.near.connection.packetSize, FULL);
        stream.world.network.faults.mtu = mtu;
        stream.world.clock.advance(2000);
        t.ok(inASecond(stream) > 1_500_000);
        t.ok(stream.near.connection.packetSize + 27 + HEADERS <= mtu);
      },
    );
  }
}

t.test('everything in flight arrives within 2 s on a new path that takes less', async (t) => {
  const stream = flow({ delay: 20 });
  const { world, near } = stream;
  world.clock.advance(2000);
  t.equal(near.connection.packetSize, FULL);
  world.network.faults.mtu = 1480;
  near.connection.removeRoute(stream.bob.endpoint.key);
  near.connection.setEndpoint(stream.bob.endpoint);
  world.clock.advance(2000);
  t.ok(inASecond(stream) > 1_500_000);
  t.equal(near.connection.packetSize + 27 + HEADERS, 1476);
});

t.test("in a black hole the system's counters are not read for each packet", async (t) => {
  const stream = flow({ delay: 25 });
  const { world, alice } = stream;
  world.clock.advance(2000);
  let reads = 0;
  Object.defineProperty(alice, 'fragments', {
    get: () => {
      reads += 1;
      return 0;
    },
  });
  world.network.faults.mtu = 1300;
  world.clock.advance(2000);
  t.ok(inASecond(stream) > 1_500_000);
  t.ok(reads > 0 && reads < 100, `${reads}`);
});

t.test('a single large packet in a black hole arrives within 2 s', async (t) => {
  const { world, near, far } = connectedPair(7);
  world.network.faults.delay = 20;
  world.network.faults.mtu = 1400;
  near.connection.sendLossless(Buffer.alloc(FULL, 162));
  t.ok(world.clock.runUntil(() => far.notes.lossless.length === 1, 2000));
  t.equal(far.notes.lossless[0]?.length, FULL);
});

t.test('the last packet of a transfer arrives in a black hole on a path that reorders', async (t) => {
  const { world, near, far } = flow({ delay: 20 });
  world.network.faults.jitter = 40;
  world.clock.advance(2000);
  t.equal(near.connection.packetSize, FULL);
  near.notes.onRoom = undefined;
  world.clock.advance(1000);
  world.network.faults.mtu = 1300;
  let hasArrived = false;
  far.notes.onPacket = () => {
    hasArrived = true;
  };
  near.connection.sendLossless(Buffer.alloc(FULL, 163));
  t.ok(world.clock.runUntil(() => hasArrived, 3000));
});

t.test('everything in flight arrives in a black hole whose queue loses the second of two halves', async (t) => {
  const stream = flow({ delay: 20 });
  const { world, alice, far } = stream;
  world.clock.advance(2000);
  world.network.faults.mtu = 1300;
  const { shape } = alice;
  let halfAt = 0;
  alice.shape = (packet, forward) => {
    const isHalf = packet.length === HALF;
    if (isHalf && halfAt === world.clock.now()) return;
    if (isHalf) halfAt = world.clock.now();
    shape(packet, forward);
  };
  world.clock.advance(20_000);
  t.ok(inASecond(stream) > 1_500_000);
  t.equal(far.connection.state, 'established');
});

t.test('bursty loss is not taken for a black hole', async (t) => {
  const { world, alice, near, received } = flow({ delay: 20 });
  let burst = 0;
  const { shape } = alice;
  alice.shape = (packet, forward) =>
    shape(packet, () => {
      if (burst === 0 && world.random.fraction() < 0.006) burst = 5;
      if (burst > 0) burst -= 1;
      else forward();
    });
  world.clock.advance(3000);
  let small = 0;
  for (let second = 0; second < 20; second += 1) {
    world.clock.advance(1000);
    if (near.connection.packetSize < FULL) small += 1;
  }
  t.equal(small, 0);
  t.ok(received() > 20_000_000, `${received()}`);
});

t.test('rare large packets lost in bursts are not taken for a black hole', async (t) => {
  const { world, alice, near } = flow({ delay: 20 });
  world.clock.advance(1000);
  near.notes.onRoom = undefined;
  world.clock.advance(2000);
  let burst = 0;
  alice.shape = (_packet, forward) => {
    if (burst === 0 && world.random.fraction() < 0.01) burst = 3;
    if (burst > 0) burst -= 1;
    else forward();
  };
  for (let count = 0; count < 1000; count += 1) {
    near.connection.sendLossless(Buffer.alloc(FULL, 163));
    world.clock.advance(200);
  }
  t.equal(near.connection.packetSize, FULL);
});

t.test('an outage of all packets is not taken for a black hole', async (t) => {
  const { world, alice, near } = flow({ delay: 20 });
  world.clock.advance(2000);
  const { shape } = alice;
  alice.shape = () => {};
  world.clock.advance(3000);
  alice.shape = shape;
  world.clock.advance(1000);
  t.equal(near.connection.packetSize, FULL);
});

t.test('a packet that the system fragments does not prove its size', async (t) => {
  const { world, alice, near, largest } = flow();
  const { shape } = alice;
  alice.shape = (packet, forward) => {
    if (packet.length + HEADERS > 1420) alice.fragments += 2;
    shape(packet, forward);
  };
  world.clock.advance(1000);
  t.equal(near.connection.packetSize + 27 + HEADERS, 1396);
  largest();
  const { fragments } = alice;
  world.clock.advance(10_000);
  t.equal(largest(), 1396);
  t.equal(alice.fragments, fragments, 'no more of them');
});

t.test('no probe is larger than the MTU of our own interface', async (t) => {
  const pair = connectedPair(5);
  // As on a new path: the MTU towards the present one was already requested.
  pair.alice.interfaceMtu = 1420;
  pair.near.connection.removeRoute(pair.bob.endpoint.key);
  pair.near.connection.setEndpoint(pair.bob.endpoint);
  pair.world.clock.advance(2000);
  await Promise.resolve();
  const { world, near, largest } = flow({}, pair);
  world.clock.advance(2000);
  t.equal(near.connection.packetSize + 27 + HEADERS, 1396);
  t.equal(largest(), 1396);
});

t.test('no probe over IPv6 is larger than 1,500 bytes while the MTU of our own interface is unknown', async (t) => {
  const world = new World(5);
  const [alice, bob] = [world.peer('2001:db8::1'), world.peer('2001:db8::2')];
  const near = alice.connect(bob);
  world.clock.advance(100);
  const [far] = bob.accepted;
  t.ok(far);
  if (far === undefined) return;
  const { largest } = flow({}, { world, alice, bob, near, far });
  world.clock.advance(2000);
  t.equal(near.connection.packetSize + 27 + HEADERS, 1476);
  t.equal(largest() - HEADERS + 48, 1496);
});

t.test('a path whose limit the system learns in mid-session gets packets within it', async (t) => {
  const stream = flow();
  const { world, alice, near } = stream;
  world.clock.advance(2000);
  const { shape } = alice;
  let isKnown = false;
  alice.shape = (packet, forward) => {
    if (packet.length + HEADERS <= 1420) shape(packet, forward);
    else if (isKnown) {
      alice.fragments += 2;
      shape(packet, forward);
    } else {
      world.clock.after(20, () => {
        isKnown = true;
      });
    }
  };
  world.clock.advance(2000);
  t.ok(inASecond(stream) > 1_500_000);
  t.equal(near.connection.packetSize + 27 + HEADERS, 1396);
  const { fragments } = alice;
  world.clock.advance(10_000);
  t.equal(alice.fragments, fragments);
});

t.test('packets that are too large for the path go by a relay to a peer that reads no halves', async (t) => {
  const stream = flow({}, strangePair(5));
  const { world, near, far } = stream;
  world.clock.advance(2000);
  const relay = relayTo(stream);
  near.connection.addRoute(relay);
  world.network.faults.mtu = 1400;
  world.clock.advance(2500);
  t.ok(inASecond(stream) > 1_500_000);
  t.ok(relay.sent > 10);
  const { sent } = relay;
  world.clock.advance(1000);
  t.equal(relay.sent, sent, 'nothing else');
  t.ok(near.connection.endpoint, 'UDP carries the rest');
  t.equal(far.connection.state, 'established');
});

/** A relay's route, in the direction of the far peer. */
function relayTo({ world, far }: Pick<Flow, 'world' | 'far'>): Route & { sent: number } {
  const route = {
    key: 'relay',
    kind: 'relay' as const,
    isLan: false,
    endpoint: undefined,
    state: 'ready' as const,
    pacesItself: true,
    sent: 0,
    send: (packet: Buffer): void => {
      route.sent += 1;
      const source = { ...route, send: () => {} };
      const bytes = Buffer.from(packet);
      world.clock.after(30, () => void far.connection.receiveData(bytes, source, world.clock.now()));
    },
  };
  return route;
}

t.test('the connection is replaced soon when no relay delivers the large packet either', async (t) => {
  const { world, near, far } = flow({}, strangePair(5));
  world.clock.advance(2000);
  world.network.faults.mtu = 1400;
  world.clock.advance(2000);
  t.same(
    near.notes.events.slice(1).filter((event) => event !== 'drain'),
    [],
    'a relay may be found yet',
  );
  world.clock.advance(4000);
  t.equal(near.notes.events.at(-1), 'closed: too large');
  t.equal(far.notes.events.at(-1), 'closed: killed');
});

t.test('a peer of another kind whose large packets vanish is reached by a relay', async (t) => {
  const pair = strangePair(5);
  const { world, alice, bob, near, far } = pair;
  const relay = relayTo({ world, far });
  near.connection.addRoute(relay);
  let toBob = 0;
  alice.shape = (packet, forward) => {
    // c-toxcore sends no probes, so an answer to one would not keep it on UDP.
    if (packet[0] !== UdpKind.CookieResponse) toBob += 1;
    forward();
  };
  bob.shape = (packet, forward) => {
    if (packet.length + HEADERS <= 1400) forward();
  };
  far.connection.sendLossless(Buffer.alloc(THEIR_FULL, 162));
  world.clock.advance(2000);
  t.ok(toBob > relay.sent, 'a lost packet may come yet');
  world.clock.advance(4000);
  toBob = 0;
  relay.sent = 0;
  world.clock.advance(8000);
  t.equal(toBob, 0, 'so that it sends by the relay, too');
  t.ok(relay.sent > 5);
});

/** Sends lossy packets of the largest size, 200 a second. @returns how many have arrived */
function streamLossy({ world, near, far }: ReturnType<typeof connectedPair>): () => number {
  world.clock.every(5, () => void near.connection.sendLossy(Buffer.alloc(near.connection.packetSize, 213)));
  return () => far.notes.lossy.length;
}

t.test('a stream of lossy packets alone finds out what the path takes', async (t) => {
  for (const [mtu, expected] of [
    [1500, FULL],
    [1300, 1205],
  ] as const) {
    const pair = connectedPair(6);
    Object.assign(pair.world.network.faults, { delay: 20, mtu });
    streamLossy(pair);
    pair.world.clock.advance(1500);
    t.equal(pair.near.connection.packetSize, expected);
    t.ok(
      pair.far.notes.lossless.every((data) => data[0] === 16),
      'by packets that nobody reads',
    );
  }
});

t.test('a path that loses the large packets of a lossy stream is noticed within seconds', async (t) => {
  const pair = connectedPair(6);
  const { world, near } = pair;
  Object.assign(world.network.faults, { delay: 20 });
  const received = streamLossy(pair);
  world.clock.advance(3000);
  t.equal(near.connection.packetSize, FULL);
  world.network.faults.mtu = 1300;
  world.clock.advance(10_000);
  const before = received();
  world.clock.advance(10_000);
  t.ok(received() - before > 1800, `${received() - before} of 2000`);
});

t.test('small lossy packets cause no others', async (t) => {
  const { world, near, far } = connectedPair(6);
  world.clock.every(5, () => void near.connection.sendLossy(Buffer.alloc(500, 213)));
  world.clock.advance(10_000);
  t.same(far.notes.lossless, []);
  t.ok(far.notes.lossy.length > 1900);
});
