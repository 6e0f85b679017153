import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { UdpKind } from '../../../src/tox/packet/kind.js';
import {
  decodeOnionDelivery,
  decodeOnionLayer,
  decodeOnionRequest,
  decodeOnionResponse,
  decodeSendbackContent,
  encodeForwardedRequest,
  encodeOnionDelivery,
  encodeOnionLayer,
  encodeOnionRequest,
  encodeOnionResponse,
  encodeSendbackContent,
  MAX_ONION_PAYLOAD_SIZE,
  MAX_ONION_RESPONSE_SIZE,
  type OnionLevel,
  type SendbackLevel,
  sendbackSize,
} from '../../../src/tox/packet/onion.js';
import { mutations } from '../../support/fuzz.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(7);
const LEVELS: readonly OnionLevel[] = [0, 1, 2];
const SENDBACKS: readonly SendbackLevel[] = [1, 2, 3];
/** The shortest packets that c-toxcore accepts: one byte more than a layer without content. */
const SHORTEST = { 0: 227, 1: 219, 2: 211 };

function requestOf(level: OnionLevel, length: number): Buffer {
  return encodeOnionRequest(level, {
    nonce: random.bytes(24),
    publicKey: new PublicKey(random.bytes(32)),
    sealedLayer: random.bytes(length - 57 - sendbackSize(level)),
    sendback: random.bytes(sendbackSize(level)),
  });
}

function responseOf(level: SendbackLevel, length: number): Buffer {
  const data = random.bytes(length);
  data[0] = UdpKind.AnnounceResponse;
  return encodeOnionResponse(level, { sendback: random.bytes(sendbackSize(level)), data });
}

t.test('the sizes are those of the specification', async (t) => {
  t.same(
    SENDBACKS.map((level) => sendbackSize(level)),
    [59, 118, 177],
  );
  t.equal(MAX_ONION_PAYLOAD_SIZE, 1174);
  t.equal(MAX_ONION_RESPONSE_SIZE, 1222);
});

for (const level of LEVELS) {
  t.test(`a request of level ${level} survives the wire`, async (t) => {
    const packet = requestOf(level, 600);
    t.equal(packet[0], 0x80 + level);
    const decoded = decodeOnionRequest(level, packet)!;
    t.same(encodeOnionRequest(level, decoded), packet);
    t.equal(decoded.sendback.length, sendbackSize(level));
  });

  t.test(`a request of level ${level} is refused outside of its lengths`, async (t) => {
    t.ok(decodeOnionRequest(level, requestOf(level, SHORTEST[level])));
    t.notOk(decodeOnionRequest(level, requestOf(level, SHORTEST[level] - 1)));
    t.ok(decodeOnionRequest(level, requestOf(level, 1400)));
    t.notOk(decodeOnionRequest(level, requestOf(level, 1401)));
  });
}

for (const level of SENDBACKS) {
  t.test(`a response with ${level} sendbacks survives the wire`, async (t) => {
    const packet = responseOf(level, 100);
    t.equal(packet[0], 0x8f - level);
    t.same(encodeOnionResponse(level, decodeOnionResponse(level, packet)!), packet);
  });

  t.test(`a response with ${level} sendbacks contains only onion responses`, async (t) => {
    const packet = responseOf(level, 100);
    packet[1 + sendbackSize(level)] = UdpKind.CryptoData;
    t.notOk(decodeOnionResponse(level, packet));
  });
}

t.test('a layer gives the next hop and its packet', async (t) => {
  for (const address of ['192.0.2.9', '2001:db8::9']) {
    const inner = Buffer.concat([Buffer.from([UdpKind.AnnounceRequest]), random.bytes(40)]);
    const layer = { next: Endpoint.of(address, 33_445)!, inner };
    const plain = encodeOnionLayer(layer);
    t.equal(plain.length, 19 + 41);
    for (const level of LEVELS) {
      const decoded = decodeOnionLayer(level, plain)!;
      t.equal(decoded.next.key, layer.next.key);
      t.same(decoded.inner, inner);
    }
  }
});

t.test('the last hop delivers only announce and data requests', async (t) => {
  const next = Endpoint.of('192.0.2.9', 33_445)!;
  const allowed = Array.from({ length: 256 }, (_, kind) => kind).filter(
    (kind) => decodeOnionLayer(2, encodeOnionLayer({ next, inner: Buffer.from([kind, 0]) })) !== undefined,
  );
  t.same(allowed, [0x83, 0x85, 0x87]);
  t.notOk(decodeOnionLayer(2, encodeOnionLayer({ next, inner: Buffer.alloc(0) })));
});

t.test('a layer with a family that is not UDP is refused', async (t) => {
  for (const family of [0, 11, 130, 138]) {
    const plain = encodeOnionLayer({ next: Endpoint.of('192.0.2.9', 1)!, inner: random.bytes(50) });
    plain[0] = family;
    t.notOk(decodeOnionLayer(0, plain));
    // In a sendback, which only we can seal, 11 is a client of our relay.
    t.equal(decodeSendbackContent(plain) !== undefined, family === 11);
  }
});

t.test('a client of our relay in a sendback has the size of an address', async (t) => {
  const content = { previous: { client: 0x0102030405060708n }, inner: random.bytes(59) };
  const plain = encodeSendbackContent(content);
  t.equal(plain.length, 19 + 59);
  t.same(decodeSendbackContent(plain), content);
});

t.test('a hop forwards the request of the next level', async (t) => {
  const [nonce, key, sealedLayer] = [random.bytes(24), random.bytes(32), random.bytes(300)];
  for (const level of [0, 1] as const) {
    const sendback = random.bytes(sendbackSize((level + 1) as OnionLevel));
    const packet = encodeForwardedRequest(level, nonce, Buffer.concat([key, sealedLayer]), sendback);
    const decoded = decodeOnionRequest((level + 1) as OnionLevel, packet)!;
    t.same(decoded.nonce, nonce);
    t.same(decoded.publicKey.bytes, key);
    t.same(decoded.sealedLayer, sealedLayer);
    t.same(decoded.sendback, sendback);
  }
});

t.test('a delivery and a sendback survive the wire', async (t) => {
  const delivery = { payload: random.bytes(177), sendback: random.bytes(177) };
  t.same(decodeOnionDelivery(encodeOnionDelivery(delivery)), delivery);
  t.notOk(decodeOnionDelivery(random.bytes(177)), 'a payload is missing');
  const content = { previous: Endpoint.of('2001:db8::1', 9)!, inner: random.bytes(59) };
  t.same(decodeSendbackContent(encodeSendbackContent(content)), content);
});

t.test('a response must have data that fits', async (t) => {
  t.throws(() => responseOf(3, 1223), RangeError);
  t.throws(() => encodeOnionResponse(1, { sendback: random.bytes(59), data: Buffer.alloc(0) }), RangeError);
});

t.test('hostile bytes never throw, and accepted packets encode to the same bytes', async (t) => {
  const samples = [
    ...LEVELS.map((level) => requestOf(level, 700)),
    ...SENDBACKS.map((level) => responseOf(level, 200)),
  ];
  let wrong = 0;
  for (const bytes of mutations(1, samples, 4_000)) {
    for (const level of LEVELS) {
      const request = decodeOnionRequest(level, bytes);
      if (request !== undefined && !encodeOnionRequest(level, request).equals(bytes)) wrong += 1;
      decodeOnionLayer(level, bytes);
    }
    for (const level of SENDBACKS) {
      const response = decodeOnionResponse(level, bytes);
      if (response !== undefined && !encodeOnionResponse(level, response).equals(bytes)) wrong += 1;
    }
    decodeOnionDelivery(bytes);
    decodeSendbackContent(bytes);
  }
  t.equal(wrong, 0);
});
