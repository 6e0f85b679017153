import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import {
  type AnnounceOutcome,
  type AnnounceVariant,
  decodeAnnounceRequest,
  decodeAnnounceRequestContent,
  decodeAnnounceResponse,
  decodeAnnounceResponseContent,
  encodeAnnounceRequest,
  encodeAnnounceRequestContent,
  encodeAnnounceResponse,
  encodeAnnounceResponseContent,
} from '../../../src/tox/packet/announce.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { mutations } from '../../support/fuzz.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(8);
const key = (): PublicKey => new PublicKey(random.bytes(32));
const VARIANTS: readonly AnnounceVariant[] = ['classic', 'extended'];
const OUTCOMES: readonly AnnounceOutcome[] = [
  { status: 'unknown', pingId: random.bytes(32) },
  { status: 'found', dataKey: key() },
  { status: 'announced', pingId: random.bytes(32) },
];
const NODES: readonly NodeInfo[] = ['192.0.2.1', '2001:db8::1', '192.0.2.2', '2001:db8::2'].map((address) => ({
  publicKey: key(),
  endpoint: Endpoint.of(address, 33_445)!,
}));

const content = () => ({
  pingId: random.bytes(32),
  searchedKey: key(),
  dataKey: key(),
  sendback: 0x0123_4567_89ab_cdefn,
});

for (const variant of VARIANTS) {
  t.test(`a ${variant} request has 177 bytes and survives the wire`, async (t) => {
    const request = { nonce: random.bytes(24), requester: key(), sealed: random.bytes(120) };
    const packet = encodeAnnounceRequest(variant, request);
    t.equal(packet.length, 177);
    t.equal(packet[0], variant === 'classic' ? 0x83 : 0x87);
    t.same(encodeAnnounceRequest(variant, decodeAnnounceRequest(variant, packet)!), packet);
    t.notOk(decodeAnnounceRequest(variant, packet.subarray(0, 176)));
    t.notOk(decodeAnnounceRequest(variant, Buffer.concat([packet, Buffer.alloc(1)])));
  });

  t.test(`a ${variant} response survives the wire with every outcome and number of nodes`, async (t) => {
    for (const outcome of OUTCOMES) {
      for (let count = 0; count <= 4; count += 1) {
        const response = { outcome, nodes: NODES.slice(0, count) };
        const plain = encodeAnnounceResponseContent(variant, response);
        const decoded = decodeAnnounceResponseContent(variant, plain)!;
        t.same(encodeAnnounceResponseContent(variant, decoded), plain);
        t.equal(decoded.nodes.length, count);
        t.equal(decoded.outcome.status, outcome.status);
      }
    }
  });
}

t.test('a response without nodes has 82 bytes', async (t) => {
  const plain = encodeAnnounceResponseContent('classic', { outcome: OUTCOMES[0]!, nodes: [] });
  const response = { sendback: 77n, nonce: random.bytes(24), sealed: Buffer.concat([random.bytes(16), plain]) };
  const packet = encodeAnnounceResponse('classic', response);
  t.equal(packet.length, 82);
  t.same(decodeAnnounceResponse('classic', packet), response);
  t.notOk(decodeAnnounceResponse('classic', packet.subarray(0, 81)));
  t.notOk(decodeAnnounceResponse('classic', Buffer.concat([packet, Buffer.alloc(206)])), 'more than four nodes take');
});

t.test('the content of a request is four fields of exact length', async (t) => {
  const request = content();
  const plain = encodeAnnounceRequestContent(request);
  t.equal(plain.length, 104);
  const decoded = decodeAnnounceRequestContent(plain)!;
  t.equal(decoded.sendback, request.sendback);
  t.ok(decoded.searchedKey.equals(request.searchedKey));
  t.ok(decoded.dataKey.equals(request.dataKey));
  t.same(decoded.pingId, request.pingId);
  t.notOk(decodeAnnounceRequestContent(plain.subarray(1)));
  t.notOk(decodeAnnounceRequestContent(Buffer.concat([plain, plain])));
});

t.test('a status that does not exist is refused', async (t) => {
  const plain = encodeAnnounceResponseContent('classic', { outcome: OUTCOMES[0]!, nodes: [] });
  plain[0] = 3;
  t.notOk(decodeAnnounceResponseContent('classic', plain));
});

t.test('a node that cannot be read does not spoil the outcome before it', async (t) => {
  const plain = encodeAnnounceResponseContent('classic', { outcome: OUTCOMES[1]!, nodes: NODES.slice(0, 2) });
  plain[33 + 39] = 130;
  const decoded = decodeAnnounceResponseContent('classic', plain)!;
  t.equal(decoded.outcome.status, 'found');
  t.equal(decoded.nodes.length, 1);
});

t.test('hostile bytes never throw', async (t) => {
  const samples = VARIANTS.flatMap((variant) => [
    encodeAnnounceRequest(variant, { nonce: random.bytes(24), requester: key(), sealed: random.bytes(120) }),
    encodeAnnounceResponse(variant, { sendback: 5n, nonce: random.bytes(24), sealed: random.bytes(130) }),
    encodeAnnounceResponseContent(variant, { outcome: OUTCOMES[0]!, nodes: NODES }),
    encodeAnnounceRequestContent(content()),
  ]);
  let tooMany = 0;
  for (const bytes of mutations(2, samples, 4_000)) {
    for (const variant of VARIANTS) {
      decodeAnnounceRequest(variant, bytes);
      decodeAnnounceResponse(variant, bytes);
      if ((decodeAnnounceResponseContent(variant, bytes)?.nodes.length ?? 0) > 4) tooMany += 1;
    }
    decodeAnnounceRequestContent(bytes);
  }
  t.equal(tooMany, 0);
});
