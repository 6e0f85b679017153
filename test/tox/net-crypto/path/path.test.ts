/** Addresses that a peer forges, moves to and changes between, on the simulated clock and network. */
import t, { type Test } from 'tap';
import { Endpoint } from '../../../../src/base/endpoint.js';
import { UdpKind } from '../../../../src/tox/packet/kind.js';
import {
  type CryptoPeer,
  connectedPair,
  isInOrder,
  type Notes,
  numbered,
  sendAll,
  strangePair,
  World,
} from '../crypto-peers.js';
import { Bottleneck } from '../links.js';

const VICTIM = Endpoint.of('198.51.100.66', 4444) as Endpoint;
/** A link so slow that a simulated second is computed quickly. */
const SLOW = { megabits: 10, queueBytes: 30_000 };
/** Bytes of the IPv4 and UDP headers. */
const HEADERS = 28;

/**
 * Forges the source of all packets from the attacker to the target: they seem to come from the victim. The attacker acknowledges all
 * packets to the victim as if they had arrived, since it can guess their numbers, but it cannot guess the echo of a probe.
 * @returns bytes of IP from the victim's address, and to it
 */
function forge(
  world: World,
  attacker: CryptoPeer,
  target: CryptoPeer,
  isForged: (packet: Buffer) => boolean = () => true,
) {
  const bytes = { from: 0, to: 0, dataTo: 0 };
  attacker.shape = (packet, forward) => {
    if (!isForged(packet)) {
      forward();
      return;
    }
    bytes.from += packet.length + HEADERS;
    const copy = Buffer.from(packet);
    world.clock.after(world.network.faults.delay, () => target.router.receive(copy, VICTIM));
  };
  world.network.filter = (packet, _from, to) => {
    if (!to.equals(VICTIM)) return true;
    bytes.to += packet.length + HEADERS;
    if (packet[0] === UdpKind.CryptoData) bytes.dataTo += packet.length + HEADERS;
    if (packet[0] === UdpKind.CookieRequest) return false;
    const copy = Buffer.from(packet);
    world.clock.after(world.network.faults.delay, () => attacker.router.receive(copy, target.endpoint));
    return false;
  };
  return bytes;
}

function checkLimit(t: Test, { from, to }: { readonly from: number; readonly to: number }): void {
  t.ok(from > 0 && to <= 3 * from, `${to} bytes for ${from}`);
}

t.test('an address that a peer forges in mid-session gets at most three times what came from it', async (t) => {
  const { world, alice, bob, near, far } = connectedPair(3);
  world.network.faults.delay = 10;
  bob.shape = new Bottleneck(world.clock, SLOW).shape;
  sendAll(far.connection, far.notes, Number.POSITIVE_INFINITY, 1000);
  near.notes.onPacket = () => {
    near.notes.lossless.length = 0;
  };
  world.clock.advance(1000);
  const bytes = forge(world, alice, bob);
  for (let second = 0; second < 20; second += 1) {
    world.clock.advance(1000);
    checkLimit(t, bytes);
  }
  t.ok(bytes.dataTo > 0, 'small packets go there');
});

t.test('an address from which a handshake comes gets no more either, despite a valid cookie', async (t) => {
  const world = new World(4);
  const [alice, bob] = [world.peer('203.0.113.1'), world.peer('203.0.113.2')];
  world.network.faults.delay = 10;
  bob.onAccepted = (connection, notes) => sendAll(connection, notes, Number.POSITIVE_INFINITY, 1000);
  const bytes = forge(world, alice, bob, (packet) => packet[0] !== UdpKind.CookieRequest);
  const { connection } = alice.connect(bob);
  for (let second = 0; second < 10; second += 1) {
    world.clock.advance(1000);
    checkLimit(t, bytes);
  }
  t.equal(connection.state, 'established');
});

for (const [what, isForged] of [
  ['all that it says', (): boolean => true],
  ['all but cookies', (packet: Buffer): boolean => packet[0] !== UdpKind.CookieResponse],
] as const) {
  t.test(`an address reported for a peer gets little when the peer forges it for ${what}`, async (t) => {
    const world = new World(5);
    const [alice, bob] = [world.peer('203.0.113.1'), world.peer('203.0.113.2')];
    world.network.faults.delay = 10;
    const bytes = forge(world, bob, alice, isForged);
    const near = alice.connect(bob);
    near.connection.setEndpoint(VICTIM);
    sendAll(near.connection, near.notes, Number.POSITIVE_INFINITY, 1000);
    world.clock.advance(10_000);
    t.ok(bytes.dataTo <= 3 * bytes.from, `${bytes.dataTo} bytes for ${bytes.from}`);
  });
}

t.test('a peer that forges many addresses cannot make us send more than the limit to each', async (t) => {
  const { world, alice, bob, far } = connectedPair(6);
  sendAll(far.connection, far.notes, Number.POSITIVE_INFINITY, 1000);
  const bytes = { from: 0, to: 0 };
  let port = 0;
  alice.shape = (packet) => {
    bytes.from += packet.length + HEADERS;
    port += 1;
    bob.router.receive(Buffer.from(packet), Endpoint.of('198.51.100.66', port) as Endpoint);
  };
  world.network.filter = (packet, _from, to) => {
    if (to.address !== '198.51.100.66') return true;
    bytes.to += packet.length + HEADERS;
    return false;
  };
  world.clock.advance(20_000);
  t.ok(port > 20);
  checkLimit(t, bytes);
});

interface Gap {
  /** Longest time in ms without a packet since the reset. */
  longest: number;
}

/** Records received packets. */
function gapOf(world: World, notes: Notes): Gap {
  const gap = { longest: 0 };
  let last = world.clock.now();
  notes.onPacket = () => {
    gap.longest = Math.max(gap.longest, world.clock.now() - last);
    last = world.clock.now();
    notes.lossless.length = 0;
  };
  return gap;
}

const ROUND_TRIP = 40;
/** ms added when the full queue loses the first probe. */
const LOST_PROBE = 125;

for (const kind of ['our kind', 'unknown kind'] as const) {
  for (const who of ['the sender', 'the receiver'] as const) {
    t.test(
      `a transfer continues within four round trips and a probe when the address of ${who} changes, of ${kind}`,
      async (t) => {
        const { world, alice, bob, near, far } = (kind === 'our kind' ? connectedPair : strangePair)(8);
        world.network.faults.delay = ROUND_TRIP / 2;
        const [from, to] = who === 'the sender' ? [near, far] : [far, near];
        for (const peer of [alice, bob]) {
          peer.shape = new Bottleneck(world.clock, SLOW).shape;
        }
        const gap = gapOf(world, to.notes);
        sendAll(from.connection, from.notes, Number.POSITIVE_INFINITY, 1000);
        world.clock.advance(3000);
        for (let port = 40_001; port < 40_004; port += 1) {
          gap.longest = 0;
          alice.move('198.51.100.7', port);
          // A receiver sends nothing for up to a second when packets stop arriving.
          near.connection.sendLossless(numbered(0));
          world.clock.advance(3000);
          t.ok(gap.longest <= 4 * ROUND_TRIP + LOST_PROBE, `nothing came for ${gap.longest} ms`);
          t.equal(far.connection.endpoint?.port, port);
        }
      },
    );
  }
}

t.test(
  'a peer whose packets alternate between two addresses does not move the path and gets full packets',
  async (t) => {
    const { world, alice, bob, near, far } = connectedPair(9);
    world.network.faults.delay = 10;
    bob.shape = new Bottleneck(world.clock, SLOW).shape;
    const other = Endpoint.of('198.51.100.7', 1) as Endpoint;
    let turn = 0;
    alice.shape = (packet, forward) => {
      turn += 1;
      const copy = Buffer.from(packet);
      if (turn % 2 === 0) forward();
      else world.clock.after(10, () => bob.router.receive(copy, other));
    };
    world.network.filter = (packet, _from, to) => {
      if (!to.equals(other)) return true;
      const copy = Buffer.from(packet);
      world.clock.after(10, () => alice.router.receive(copy, bob.endpoint));
      return false;
    };
    let changes = 0;
    far.notes.onRouteChange = () => {
      changes += 1;
    };
    sendAll(far.connection, far.notes, Number.POSITIVE_INFINITY, 1000);
    near.notes.onPacket = () => {
      near.notes.lossless.length = 0;
    };
    world.clock.advance(5000);
    t.equal(changes, 0);
    t.equal(far.connection.packetSize, 1445);
  },
);

t.test(
  'a peer that sends one packet from a new address is followed there although the first probe is lost',
  async (t) => {
    const { world, alice, near, far } = connectedPair(14);
    world.network.faults.delay = ROUND_TRIP / 2;
    let isLost = false;
    world.network.filter = (packet) => {
      const isFirst = packet[0] === UdpKind.CookieRequest && !isLost;
      isLost ||= isFirst;
      return !isFirst;
    };
    world.clock.advance(1020);
    alice.move('198.51.100.7');
    near.connection.sendLossless(numbered(0));
    world.clock.advance(125 + 2 * ROUND_TRIP);
    t.ok(isLost);
    t.equal(far.connection.endpoint?.address, '198.51.100.7');
  },
);

t.test('a peer that leaves the local network is followed within two round trips', async (t) => {
  const world = new World(13);
  world.network.faults.delay = ROUND_TRIP / 2;
  const [alice, bob] = [world.peer('192.168.1.5'), world.peer('192.168.1.6')];
  const near = alice.connect(bob);
  world.clock.advance(3 * ROUND_TRIP);
  alice.move('198.51.100.7');
  near.connection.sendLossless(numbered(0));
  world.clock.advance(2 * ROUND_TRIP);
  t.equal(bob.accepted[0]?.connection.endpoint?.address, '198.51.100.7');
});

t.test('a peer that moves back and forth between two addresses is followed each time', async (t) => {
  const { world, alice, near, far } = connectedPair(10);
  world.network.faults.delay = 10;
  for (let turn = 0; turn < 6; turn += 1) {
    const address = turn % 2 === 0 ? '198.51.100.7' : '203.0.113.1';
    alice.move(address);
    near.connection.sendLossless(numbered(turn));
    world.clock.advance(200);
    t.equal(far.connection.endpoint?.address, address);
  }
});

t.test(
  "packets of other clients with a peer's address as their source do not take that address from the peer",
  async (t) => {
    const { world, alice, bob, near, far } = connectedPair(11);
    const attackers = ['203.0.113.66', '203.0.113.67'].map((address) => {
      const attacker = world.peer(address);
      const { connection } = attacker.connect(bob);
      world.clock.advance(100);
      attacker.shape = (packet) => bob.router.receive(Buffer.from(packet), alice.endpoint);
      return connection;
    });
    let count = 0;
    // Alternating packets would move the address back and forth, and all sessions would be tried each time.
    const talk = world.clock.every(1, () => {
      for (let copy = 0; copy < 4; copy += 1) attackers[copy % 2]?.sendLossy(Buffer.from([200]));
      near.connection.sendLossless(numbered(count));
      count += 1;
    });
    world.clock.advance(3000);
    talk.cancel();
    world.clock.advance(1000);
    t.ok(isInOrder(far.notes.lossless, count));
    t.equal(near.connection.traffic.retransmissions, 0, 'no packet is lost for want of trials');
  },
);

t.test('a peer that is proven at an address takes it over from its previous owner', async (t) => {
  const { world, alice, bob } = connectedPair(12);
  alice.crash();
  const heir = world.peer('203.0.113.1');
  const near = heir.connect(bob);
  world.clock.advance(100);
  const { dropped } = bob.netCrypto;
  sendAll(near.connection, near.notes, 20_000);
  world.clock.advance(4000);
  t.ok(isInOrder(bob.accepted[1]?.notes.lossless ?? [], 20_000));
  t.equal(near.connection.traffic.retransmissions, 0);
  t.equal(bob.netCrypto.dropped, dropped);
});
