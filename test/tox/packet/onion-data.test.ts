import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import type { PackedNode } from '../../../src/tox/packet/node-info.js';
import {
  decodeDhtPublicKeyAnnouncement,
  decodeOnionDataContent,
  decodeOnionDataRequest,
  decodeOnionDataResponse,
  encodeDhtPublicKeyAnnouncement,
  encodeOnionDataContent,
  encodeOnionDataRequest,
  encodeOnionDataResponse,
  MAX_ONION_DATA_SIZE,
} from '../../../src/tox/packet/onion-data.js';
import { mutations } from '../../support/fuzz.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(9);
const key = (): PublicKey => new PublicKey(random.bytes(32));
/** Bytes besides the data: outer MAC, sender's key, inner MAC. */
const BOXES = 16 + 32 + 16;

const NODES: readonly PackedNode[] = (['udp', 'tcp', 'udp', 'tcp'] as const).map((transport, index) => ({
  transport,
  publicKey: key(),
  endpoint: Endpoint.of(index < 2 ? '192.0.2.1' : '2001:db8::1', 33_445 + index)!,
}));

t.test('a data request survives the wire, and becomes the response without the receiver', async (t) => {
  const request = { receiver: key(), nonce: random.bytes(24), ephemeralKey: key(), sealed: random.bytes(200) };
  const packet = encodeOnionDataRequest(request);
  t.equal(packet[0], 0x85);
  t.same(encodeOnionDataRequest(decodeOnionDataRequest(packet)!), packet);
  const response = encodeOnionDataResponse(request);
  t.equal(response[0], 0x86);
  t.same(response.subarray(1), packet.subarray(33));
  t.same(encodeOnionDataResponse(decodeOnionDataResponse(response)!), response);
});

t.test('a data response carries 1 to 948 bytes of data', async (t) => {
  const response = (length: number): Buffer =>
    encodeOnionDataResponse({ nonce: random.bytes(24), ephemeralKey: key(), sealed: random.bytes(BOXES + length) });
  t.equal(response(MAX_ONION_DATA_SIZE).length, 1069, 'the limit of c-toxcore');
  t.ok(decodeOnionDataResponse(response(1)));
  t.ok(decodeOnionDataResponse(response(948)));
  t.notOk(decodeOnionDataResponse(response(0)));
  t.notOk(decodeOnionDataResponse(response(949)));
});

t.test('the outer box holds the sender and the inner box', async (t) => {
  const content = { sender: key(), sealedData: random.bytes(40) };
  const plain = encodeOnionDataContent(content);
  t.same(encodeOnionDataContent(decodeOnionDataContent(plain)!), plain);
  t.notOk(decodeOnionDataContent(plain.subarray(0, 48)), 'an inner box without content');
  const alias = Buffer.from(plain);
  alias[31] = (alias[31] as number) | 0x80;
  t.notOk(decodeOnionDataContent(alias), 'a second name of the sender');
});

t.test('a DHT key announcement survives the wire with up to four nodes of every kind', async (t) => {
  for (let count = 0; count <= 4; count += 1) {
    const nodes = NODES.slice(0, count);
    const data = encodeDhtPublicKeyAnnouncement({ noReplay: 1_700_000_000n, dhtKey: key(), nodes });
    const decoded = decodeDhtPublicKeyAnnouncement(data)!;
    t.equal(decoded.noReplay, 1_700_000_000n);
    t.same(
      decoded.nodes.map(({ transport, endpoint }) => `${transport} ${endpoint}`),
      nodes.map(({ transport, endpoint }) => `${transport} ${endpoint}`),
    );
    t.same(encodeDhtPublicKeyAnnouncement(decoded), data);
  }
});

t.test('a DHT key announcement has 41 to 245 bytes', async (t) => {
  const wide = NODES.map((node) => ({ ...node, endpoint: Endpoint.of('2001:db8::9', 1)! }));
  const longest = encodeDhtPublicKeyAnnouncement({ noReplay: 1n, dhtKey: key(), nodes: wide });
  const shortest = encodeDhtPublicKeyAnnouncement({ noReplay: 1n, dhtKey: key(), nodes: [] });
  t.equal(longest.length, 245);
  t.equal(shortest.length, 41);
  t.notOk(decodeDhtPublicKeyAnnouncement(shortest.subarray(0, 40)));
  t.notOk(decodeDhtPublicKeyAnnouncement(Buffer.concat([longest, Buffer.alloc(1)])));
  t.throws(
    () => encodeDhtPublicKeyAnnouncement({ noReplay: 1n, dhtKey: key(), nodes: [...wide, wide[0]!] }),
    RangeError,
  );
});

t.test('the DHT key counts even when a node after it cannot be read', async (t) => {
  const data = encodeDhtPublicKeyAnnouncement({ noReplay: 1n, dhtKey: key(), nodes: NODES.slice(0, 1) });
  data[41] = 99;
  t.same(decodeDhtPublicKeyAnnouncement(data)?.nodes, []);
});

t.test('hostile bytes never throw', async (t) => {
  const samples = [
    encodeOnionDataRequest({
      receiver: key(),
      nonce: random.bytes(24),
      ephemeralKey: key(),
      sealed: random.bytes(90),
    }),
    encodeOnionDataResponse({ nonce: random.bytes(24), ephemeralKey: key(), sealed: random.bytes(90) }),
    encodeDhtPublicKeyAnnouncement({ noReplay: 1n, dhtKey: key(), nodes: NODES }),
  ];
  let tooMany = 0;
  for (const bytes of mutations(3, samples, 4_000)) {
    decodeOnionDataRequest(bytes);
    decodeOnionDataResponse(bytes);
    decodeOnionDataContent(bytes);
    if ((decodeDhtPublicKeyAnnouncement(bytes)?.nodes.length ?? 0) > 4) tooMany += 1;
  }
  t.equal(tooMany, 0);
});
