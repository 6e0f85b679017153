import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { open, seal } from '../../../src/tox/crypto/box.js';
import { generateKeyPair, type KeyPair } from '../../../src/tox/crypto/key-pair.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { SharedKeyCache } from '../../../src/tox/crypto/shared-key-cache.js';
import { PacketRouter } from '../../../src/tox/network/packet-router.js';
import { AnnounceServer } from '../../../src/tox/onion/announce-server.js';
import { MAX_ANNOUNCE_ENTRIES } from '../../../src/tox/onion/announce-store.js';
import {
  type AnnounceOutcome,
  type AnnounceResponse,
  type AnnounceVariant,
  decodeAnnounceResponse,
  decodeAnnounceResponseContent,
  encodeAnnounceRequest,
  encodeAnnounceRequestContent,
} from '../../../src/tox/packet/announce.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { decodeOnionResponse, encodeOnionDelivery } from '../../../src/tox/packet/onion.js';
import { encodeOnionDataRequest } from '../../../src/tox/packet/onion-data.js';
import { mutations } from '../../support/fuzz.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const EXIT = Endpoint.of('192.0.2.1', 33_445)!;
const OTHER_EXIT = Endpoint.of('192.0.2.2', 33_445)!;
const NONE = new PublicKey(Buffer.alloc(32));
const NO_PING_ID = Buffer.alloc(32);
const SENDBACK_NUMBER = 0x1122_3344_5566_7788n;

interface Ask {
  searchedKey: PublicKey;
  dataKey?: PublicKey;
  pingId?: Buffer;
  exit?: Endpoint;
  variant?: AnnounceVariant;
  sendback?: Buffer;
}

class Bench {
  readonly clock = new ManualClock();
  readonly random = new SeededRandom(1);
  readonly keyPair = generateKeyPair(this.random);
  readonly sent: { packet: Buffer; to: Endpoint }[] = [];
  readonly asked: { target: PublicKey; count: number; lan: boolean }[] = [];
  readonly nodes: NodeInfo[] = [{ publicKey: generateKeyPair(this.random).publicKey, endpoint: OTHER_EXIT }];
  readonly router = new PacketRouter();
  readonly server = new AnnounceServer({
    clock: this.clock,
    random: this.random,
    keyPair: this.keyPair,
    closestNodes: (target, count, { lan }) => {
      this.asked.push({ target, count, lan });
      return this.nodes;
    },
    send: (packet, to) => this.sent.push({ packet, to }),
  });

  constructor() {
    for (const [kind, handler] of this.server.routes()) this.router.route(kind, handler);
  }

  request(requester: KeyPair, ask: Ask): Buffer {
    const nonce = this.random.bytes(24);
    const content = encodeAnnounceRequestContent({
      pingId: ask.pingId ?? NO_PING_ID,
      searchedKey: ask.searchedKey,
      dataKey: ask.dataKey ?? NONE,
      sendback: SENDBACK_NUMBER,
    });
    const sealed = seal(new SharedKeyCache(requester.secretKey).get(this.keyPair.publicKey), nonce, content);
    const payload = encodeAnnounceRequest(ask.variant ?? 'classic', { nonce, requester: requester.publicKey, sealed });
    return encodeOnionDelivery({ payload, sendback: ask.sendback ?? Buffer.alloc(177, 1) });
  }

  /** Asks and reads the answer as the requester does. */
  ask(requester: KeyPair, ask: Ask): AnnounceResponse | undefined {
    const variant = ask.variant ?? 'classic';
    this.sent.length = 0;
    this.router.receive(this.request(requester, ask), ask.exit ?? EXIT);
    const [answer] = this.sent;
    const response = answer && decodeOnionResponse(3, answer.packet);
    const sealed = response && decodeAnnounceResponse(variant, response.data);
    if (sealed?.sendback !== SENDBACK_NUMBER || answer?.to !== (ask.exit ?? EXIT)) return undefined;
    const plain = open(
      new SharedKeyCache(requester.secretKey).get(this.keyPair.publicKey),
      sealed.nonce,
      sealed.sealed,
    );
    return plain && decodeAnnounceResponseContent(variant, plain);
  }

  announce(self: KeyPair, dataKey: PublicKey, exit = EXIT, sendback?: Buffer): AnnounceOutcome | undefined {
    const ask = { searchedKey: self.publicKey, dataKey, exit, ...(sendback && { sendback }) };
    return this.ask(self, { ...ask, pingId: pingIdOf(this.ask(self, ask)) })?.outcome;
  }
}

function pingIdOf(response: AnnounceResponse | undefined): Buffer {
  if (response === undefined || response.outcome.status === 'found') throw new Error('no ping id');
  return response.outcome.pingId;
}

t.test('a client that returns the ping id is stored, and others get its data key', async (t) => {
  const bench = new Bench();
  const [alice, bob] = [generateKeyPair(bench.random), generateKeyPair(bench.random)];
  const dataKey = generateKeyPair(bench.random).publicKey;
  t.equal(bench.ask(alice, { searchedKey: alice.publicKey, dataKey })?.outcome.status, 'unknown');
  t.equal(bench.server.dataKeyOf(alice.publicKey), undefined, 'the first step stores nothing');
  t.equal(bench.announce(alice, dataKey)?.status, 'announced');
  const found = bench.ask(bob, { searchedKey: alice.publicKey })?.outcome;
  t.ok(found?.status === 'found' && found.dataKey.equals(dataKey));
  t.equal(bench.ask(bob, { searchedKey: bob.publicKey })?.outcome.status, 'unknown');
});

t.test('a ping id from another exit is refused', async (t) => {
  const bench = new Bench();
  const alice = generateKeyPair(bench.random);
  const dataKey = generateKeyPair(bench.random).publicKey;
  const ask = { searchedKey: alice.publicKey, dataKey };
  const pingId = pingIdOf(bench.ask(alice, ask));
  t.equal(bench.ask(alice, { ...ask, pingId, exit: OTHER_EXIT })?.outcome.status, 'unknown');
  t.equal(bench.server.dataKeyOf(alice.publicKey), undefined);
});

t.test('a client with a new data key counts as unknown until it announces that key', async (t) => {
  const bench = new Bench();
  const alice = generateKeyPair(bench.random);
  const [before, after] = [generateKeyPair(bench.random).publicKey, generateKeyPair(bench.random).publicKey];
  bench.announce(alice, before);
  t.equal(bench.ask(alice, { searchedKey: alice.publicKey, dataKey: after })?.outcome.status, 'unknown');
  t.equal(bench.ask(alice, { searchedKey: alice.publicKey, dataKey: before })?.outcome.status, 'announced');
  t.equal(bench.announce(alice, after)?.status, 'announced');
  t.ok(bench.server.dataKeyOf(alice.publicKey)?.equals(after));
});

t.test('an announcement is forgotten after 300 s', async (t) => {
  const bench = new Bench();
  const [alice, bob] = [generateKeyPair(bench.random), generateKeyPair(bench.random)];
  bench.announce(alice, generateKeyPair(bench.random).publicKey);
  bench.clock.advance(299_000);
  t.equal(bench.ask(bob, { searchedKey: alice.publicKey })?.outcome.status, 'found');
  bench.clock.advance(1_000);
  t.equal(bench.ask(bob, { searchedKey: alice.publicKey })?.outcome.status, 'unknown');
});

t.test(
  'an answer names the four nodes closest to the searched key, and those of the local network only inside it',
  async (t) => {
    const bench = new Bench();
    const [alice, bob] = [generateKeyPair(bench.random), generateKeyPair(bench.random)];
    const response = bench.ask(alice, { searchedKey: bob.publicKey });
    t.ok(response?.nodes[0]?.publicKey.equals(bench.nodes[0]!.publicKey));
    bench.ask(alice, { searchedKey: bob.publicKey, exit: Endpoint.of('192.168.1.2', 5)! });
    t.same(
      bench.asked.map(({ count, lan }) => ({ count, lan })),
      [
        { count: 4, lan: false },
        { count: 4, lan: true },
      ],
    );
    t.ok(bench.asked[0]?.target.equals(bob.publicKey));
  },
);

t.test('the extended variant gets an answer of its kind', async (t) => {
  const bench = new Bench();
  const alice = generateKeyPair(bench.random);
  const response = bench.ask(alice, { searchedKey: alice.publicKey, variant: 'extended' });
  t.equal(response?.outcome.status, 'unknown');
  t.equal(response?.nodes.length, 1);
});

t.test('data is passed on by the path of the announcement, and dropped when its receiver is not stored', async (t) => {
  const bench = new Bench();
  const alice = generateKeyPair(bench.random);
  const sendback = bench.random.bytes(177);
  bench.announce(alice, generateKeyPair(bench.random).publicKey, OTHER_EXIT, sendback);
  bench.sent.length = 0;
  const to = (receiver: PublicKey): Buffer =>
    encodeOnionDelivery({
      payload: encodeOnionDataRequest({
        receiver,
        nonce: bench.random.bytes(24),
        ephemeralKey: generateKeyPair(bench.random).publicKey,
        sealed: Buffer.alloc(200, 9),
      }),
      sendback: Buffer.alloc(177),
    });
  bench.router.receive(to(generateKeyPair(bench.random).publicKey), EXIT);
  t.equal(bench.sent.length, 0);
  const packet = to(alice.publicKey);
  bench.router.receive(packet, EXIT);
  const response = decodeOnionResponse(3, bench.sent[0]!.packet)!;
  t.equal(bench.sent[0]?.to, OTHER_EXIT);
  t.same(response.sendback, sendback);
  t.equal(response.data[0], 0x86);
  t.same(response.data.subarray(1), packet.subarray(33, -177));
});

t.test('an attacker with a thousand keys gets at most 160 places', async (t) => {
  const bench = new Bench();
  const outcomes = new Set<string | undefined>();
  const announced: PublicKey[] = [];
  const stored = (): number => announced.filter((key) => bench.server.dataKeyOf(key) !== undefined).length;
  for (let index = 0; index < 1_000; index += 1) {
    const self = generateKeyPair(bench.random);
    outcomes.add(bench.announce(self, self.publicKey)?.status);
    announced.push(self.publicKey);
    if (stored() > MAX_ANNOUNCE_ENTRIES) t.fail('too many');
  }
  t.equal(stored(), MAX_ANNOUNCE_ENTRIES);
  t.same([...outcomes].sort(), ['announced', 'unknown'], 'those too far from our key are told so');
});

t.test('a request that was altered, or sealed for another node, gets no answer', async (t) => {
  const bench = new Bench();
  const alice = generateKeyPair(bench.random);
  const packet = bench.request(alice, { searchedKey: alice.publicKey });
  packet[100] = (packet[100] as number) ^ 1;
  bench.router.receive(packet, EXIT);
  bench.router.receive(new Bench().request(alice, { searchedKey: alice.publicKey }).subarray(1), EXIT);
  t.equal(bench.sent.length, 0);
  t.equal(bench.server.dropped, 1);
});

t.test('garbage of made-up requesters does not delay known requesters', async (t) => {
  const bench = new Bench();
  const [alice, bob] = [generateKeyPair(bench.random), generateKeyPair(bench.random)];
  const ask = { searchedKey: alice.publicKey };
  t.ok(bench.ask(alice, ask));
  const garbage = bench.request(alice, ask);
  for (let made = 0; made < 1_500; made += 1) {
    garbage.writeUInt32BE(made, 25);
    bench.router.receive(Buffer.from(garbage), EXIT);
  }
  t.ok(bench.ask(alice, ask));
  t.notOk(bench.ask(bob, ask), 'a new one has to wait');
  bench.clock.advance(10);
  t.ok(bench.ask(bob, ask), 'not for long');
});

t.test('known requesters are answered at a bounded rate, too', async (t) => {
  const bench = new Bench();
  const alice = generateKeyPair(bench.random);
  const request = bench.request(alice, { searchedKey: alice.publicKey });
  for (let count = 0; count < 6000; count += 1) bench.router.receive(request, EXIT);
  t.equal(bench.sent.length, 4001, 'the first was a stranger');
  bench.clock.advance(1000);
  bench.router.receive(request, EXIT);
  t.equal(bench.sent.length, 4002);
});

t.test('hostile datagrams neither throw nor cause answers longer than themselves', async (t) => {
  const bench = new Bench();
  const alice = generateKeyPair(bench.random);
  bench.announce(alice, alice.publicKey);
  const data = { receiver: alice.publicKey, nonce: Buffer.alloc(24), ephemeralKey: NONE, sealed: Buffer.alloc(400) };
  const samples = [
    bench.request(alice, { searchedKey: alice.publicKey }),
    encodeOnionDelivery({ payload: encodeOnionDataRequest(data), sendback: Buffer.alloc(177) }),
  ];
  let longer = 0;
  for (const bytes of mutations(4, samples, 3_000)) {
    bench.sent.length = 0;
    bench.router.receive(bytes, EXIT);
    for (const { packet } of bench.sent) if (packet.length > bytes.length) longer += 1;
  }
  t.equal(longer, 0);
});
