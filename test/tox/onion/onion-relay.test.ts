import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { sha512, sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { PacketRouter } from '../../../src/tox/network/packet-router.js';
import { OnionPath, udpFirstHop } from '../../../src/tox/onion/onion-path.js';
import { OnionRelay } from '../../../src/tox/onion/onion-relay.js';
import { encodeOnionLayer, encodeOnionResponse } from '../../../src/tox/packet/onion.js';
import { mutations } from '../../support/fuzz.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

interface Datagram {
  readonly packet: Buffer;
  readonly to: Endpoint;
}

const CLIENT = Endpoint.of('198.51.100.1', 40_000)!;
const DESTINATION = Endpoint.of('203.0.113.99', 33_445)!;

function makeHop(address: string, random: SeededRandom, clock = new ManualClock()) {
  const keyPair = generateKeyPair(random);
  const endpoint = Endpoint.of(address, 33_445)!;
  const sent: Datagram[] = [];
  const relay = new OnionRelay({ clock, random, keyPair, send: (packet, to) => sent.push({ packet, to }) });
  const router = new PacketRouter();
  for (const [kind, handler] of relay.routes()) router.route(kind, handler);
  const receive = (packet: Buffer, source: Endpoint): Datagram | undefined => {
    sent.length = 0;
    router.receive(packet, source);
    return sent[0];
  };
  const forward = (data: Buffer, client: { id: bigint; endpoint: Endpoint }, take: (packet: Buffer) => void): void => {
    sent.length = 0;
    relay.forwardFromClient(data, client);
    for (const { packet } of sent) take(packet);
  };
  return { publicKey: keyPair.publicKey, endpoint, relay, receive, forward };
}

function makePath(seed = 1, addresses = ['203.0.113.1', '203.0.113.2', '2001:db8::3']) {
  const random = new SeededRandom(seed);
  const clock = new ManualClock();
  const [a, b, c] = addresses.map((address) => makeHop(address, random, clock)) as [
    ReturnType<typeof makeHop>,
    ReturnType<typeof makeHop>,
    ReturnType<typeof makeHop>,
  ];
  const own = generateKeyPair(random);
  const sent: Datagram[] = [];
  const first = udpFirstHop(
    {
      ownKey: own.publicKey,
      sharedKey: sharedKey(a.publicKey, own.secretKey),
      send: (packet, to) => sent.push({ packet, to }),
    },
    a,
  );
  const path = new OnionPath({ random, first }, [a, b, c]);
  const send = (payload: Buffer, to = DESTINATION): Datagram => {
    path.send(payload, to);
    return sent.pop() as Datagram;
  };
  return { random, clock, a, b, c, path, send };
}

const payload = Buffer.concat([Buffer.from([0x83]), Buffer.alloc(176, 5)]);

t.test('a payload goes through three hops, and the answer comes back the same way', async (t) => {
  const { a, b, c, send } = makePath();
  const toA = send(payload);
  t.same([toA.packet[0], toA.packet.length, toA.to.key], [0x80, 1 + 24 + 3 * 67 + 177, a.endpoint.key]);
  const toB = a.receive(toA.packet, CLIENT)!;
  t.same([toB.packet[0], toB.packet.length, toB.to.key], [0x81, 1 + 24 + 2 * 67 + 177 + 59, b.endpoint.key]);
  const toC = b.receive(toB.packet, a.endpoint)!;
  t.same([toC.packet[0], toC.packet.length, toC.to.key], [0x82, 1 + 24 + 67 + 177 + 118, c.endpoint.key]);
  const toD = c.receive(toC.packet, b.endpoint)!;
  t.same([toD.packet.length, toD.to.key], [177 + 177, DESTINATION.key]);
  t.same(toD.packet.subarray(0, 177), payload);

  const data = Buffer.concat([Buffer.from([0x84]), Buffer.alloc(81, 6)]);
  const backToC = encodeOnionResponse(3, { sendback: toD.packet.subarray(177), data });
  const backToB = c.receive(backToC, DESTINATION)!;
  t.same([backToB.packet[0], backToB.to.key], [0x8d, b.endpoint.key]);
  const backToA = b.receive(backToB.packet, c.endpoint)!;
  t.same([backToA.packet[0], backToA.to.key], [0x8e, a.endpoint.key]);
  const back = a.receive(backToA.packet, b.endpoint)!;
  t.equal(back.to.key, CLIENT.key);
  t.same(back.packet, data);
});

t.test('the bytes equal those recorded with a version that tox-bootstrapd 0.2.18 understood', async (t) => {
  const { packet } = makePath(42).send(payload);
  t.equal(sha512(packet).toString('hex', 0, 16), 'baab6636370a1b8261722adfdd795e51');
});

t.test('the longest payload fits, one byte more is refused', async (t) => {
  const { a, b, c, send, path } = makePath();
  const longest = Buffer.alloc(1174, 0x85);
  const toA = send(longest);
  t.equal(toA.packet.length, 1400);
  const toB = a.receive(toA.packet, CLIENT)!;
  const toC = b.receive(toB.packet, a.endpoint)!;
  t.same(c.receive(toC.packet, b.endpoint)?.packet.subarray(0, 1174), longest);
  t.throws(() => path.send(Buffer.alloc(1175), DESTINATION), RangeError);
});

t.test('a hop does not open a layer for another hop', async (t) => {
  const { b, send } = makePath();
  t.notOk(b.receive(send(payload).packet, CLIENT));
  t.equal(b.relay.dropped, 1);
});

t.test('a stranger does not reach the local network through us, but a neighbour does', async (t) => {
  const { a, send } = makePath(1, ['203.0.113.1', '192.168.1.7', '203.0.113.3']);
  const { packet } = send(payload);
  t.notOk(a.receive(packet, CLIENT));
  t.ok(a.receive(packet, Endpoint.of('192.168.1.5', 40_000)!));
});

t.test('a stranger reaches neither private IPv6 networks nor addresses behind IPv4 translation', async (t) => {
  const refused = ['fd12:3456::1', 'fec0::1', '::127.0.0.1', '64:ff9b::a00:1', '2002:7f00:1::1', '169.254.0.1'];
  for (const address of [...refused, '198.18.0.1']) {
    const { a, send } = makePath(1, ['203.0.113.1', address, '203.0.113.3']);
    t.notOk(a.receive(send(payload).packet, Endpoint.of('20.0.0.1', 40_000)!), address);
  }
  const { a, send } = makePath(1, ['203.0.113.1', '64:ff9b::1400:2', '203.0.113.3']);
  t.ok(a.receive(send(payload).packet, Endpoint.of('20.0.0.1', 40_000)!), 'a public one behind a translator');
});

t.test('a packet of a client of our relay is never longer than a datagram of the onion', async (t) => {
  const client = { id: 1n, endpoint: CLIENT };
  const { a } = makePath();
  const lengths: number[] = [];
  const layer = (size: number): Buffer =>
    Buffer.concat([Buffer.alloc(24), encodeOnionLayer({ next: DESTINATION, inner: Buffer.alloc(size - 24 - 19) })]);
  for (const size of [1359, 1360, 2048]) {
    a.forward(layer(size), client, ({ length }) => lengths.push(length));
  }
  t.same(lengths, [1400]);
});

t.test('no packet is forwarded to a broadcast address', async (t) => {
  for (const address of ['255.255.255.255', '224.0.0.1', '0.0.0.0', 'ff05::1', '::']) {
    const { a, send } = makePath(1, ['203.0.113.1', address, '203.0.113.3']);
    const { packet } = send(payload);
    t.notOk(a.receive(packet, CLIENT), address);
    t.notOk(a.receive(packet, Endpoint.of('192.168.1.5', 40_000)!), `${address}, for a neighbour`);
  }
});

t.test('new paths are accepted at a bounded rate, and garbage does not stop paths in use', async (t) => {
  const { a, path, send, clock, random } = makePath();
  const { packet } = send(payload);
  t.ok(a.receive(packet, CLIENT));
  const garbage = Buffer.from(packet);
  for (let made = 0; made < 1500; made += 1) {
    garbage.writeUInt32BE(made, 25);
    if (a.receive(garbage, CLIENT) !== undefined) t.fail('forwarded');
  }
  t.ok(a.receive(send(payload).packet, CLIENT), 'a path in use');
  const stranger = generateKeyPair(random);
  let newcomer: Buffer = Buffer.alloc(0);
  const first = udpFirstHop(
    {
      ownKey: stranger.publicKey,
      sharedKey: sharedKey(a.publicKey, stranger.secretKey),
      send: (sent) => {
        newcomer = sent;
      },
    },
    a,
  );
  new OnionPath({ random, first }, path.hops).send(payload, DESTINATION);
  t.notOk(a.receive(newcomer, CLIENT), 'a new one has to wait');
  clock.advance(10);
  t.ok(a.receive(newcomer, CLIENT), 'not for long');
});

t.test('packets of a path in use are forwarded at a bounded rate, too', async (t) => {
  const { a, send, clock } = makePath();
  const { packet } = send(payload);
  let count = 0;
  for (let sent = 0; sent < 6000; sent += 1) if (a.receive(packet, CLIENT) !== undefined) count += 1;
  t.equal(count, 4001, 'the first made the path');
  clock.advance(1000);
  t.ok(a.receive(packet, CLIENT));
});

t.test('the return path survives a change of the keys', async (t) => {
  const { a, b, c, send, clock } = makePath();
  clock.advance(7_199_000);
  const toB = a.receive(send(payload).packet, CLIENT)!;
  const toC = b.receive(toB.packet, a.endpoint)!;
  const toD = c.receive(toC.packet, b.endpoint)!;
  const packet = encodeOnionResponse(3, { sendback: toD.packet.subarray(177), data: Buffer.alloc(90, 0x84) });
  const back = (): string | undefined => {
    const toB = c.receive(packet, DESTINATION);
    const toA = toB && b.receive(toB.packet, c.endpoint);
    return toA && a.receive(toA.packet, b.endpoint)?.to.key;
  };
  clock.advance(300_000);
  t.equal(back(), CLIENT.key);
  clock.advance(400_000);
  t.equal(back(), undefined);
});

t.test('hostile datagrams neither throw nor grow by more than a sendback', async (t) => {
  const { a, b, c, send } = makePath();
  const toA = send(payload);
  const toB = a.receive(toA.packet, CLIENT)!;
  const toC = b.receive(toB.packet, a.endpoint)!;
  const toD = c.receive(toC.packet, b.endpoint)!;
  const back = encodeOnionResponse(3, { sendback: toD.packet.subarray(177), data: Buffer.alloc(90, 0x84) });
  let longer = 0;
  for (const bytes of mutations(5, [toA.packet, toB.packet, toC.packet, back], 3_000)) {
    for (const hop of [a, b, c]) {
      const forwarded = hop.receive(bytes, CLIENT);
      if (forwarded !== undefined && forwarded.packet.length > bytes.length + 59) longer += 1;
    }
  }
  t.equal(longer, 0);
});
