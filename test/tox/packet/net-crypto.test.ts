import t from 'tap';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import * as codec from '../../../src/tox/packet/net-crypto.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(1);
const key = (): PublicKey => new PublicKey(random.bytes(32));

t.test('every packet and content comes back from its bytes, of the length that the specification gives', async (t) => {
  const request = { dhtKey: key(), nonce: random.bytes(24), sealed: random.bytes(88) };
  t.same(codec.decodeCookieRequest(codec.encodeCookieRequest(request)), request);
  t.equal(codec.encodeCookieRequest(request).length, 145);

  const requestContent = { realKey: key(), echo: 0xfedcba9876543210n };
  t.same(codec.decodeCookieRequestContent(codec.encodeCookieRequestContent(requestContent)), requestContent);

  const response = { nonce: random.bytes(24), sealed: random.bytes(136) };
  t.same(codec.decodeCookieResponse(codec.encodeCookieResponse(response)), response);
  t.equal(codec.encodeCookieResponse(response).length, 161);

  const responseContent = { cookie: random.bytes(112), echo: 1n };
  t.same(codec.decodeCookieResponseContent(codec.encodeCookieResponseContent(responseContent)), responseContent);

  const cookie = { time: 123_456, realKey: key(), dhtKey: key() };
  t.same(codec.decodeCookieContent(codec.encodeCookieContent(cookie)), cookie);

  const handshake = { cookie: random.bytes(112), nonce: random.bytes(24), sealed: random.bytes(248) };
  t.same(codec.decodeHandshake(codec.encodeHandshake(handshake)), handshake);
  t.equal(codec.encodeHandshake(handshake).length, 385);

  const content = {
    baseNonce: random.bytes(24),
    sessionKey: key(),
    cookieHash: random.bytes(64),
    cookie: random.bytes(112),
  };
  t.same(codec.decodeHandshakeContent(codec.encodeHandshakeContent(content)), content);
});

function layOut(lowNonce: number, start: number, number: number, data: Buffer, size?: number): Buffer {
  const packet = Buffer.allocUnsafe(codec.dataPacketSize(data.length, size));
  codec.layOutData(packet, lowNonce, start, number, data);
  return packet;
}

t.test('the fields are where the specification puts them', async (t) => {
  const request = codec.encodeCookieRequest({
    dhtKey: new PublicKey(Buffer.alloc(32, 1)),
    nonce: Buffer.alloc(24, 2),
    sealed: Buffer.alloc(88, 3),
  });
  t.equal(request.toString('hex'), `18${'01'.repeat(32)}${'02'.repeat(24)}${'03'.repeat(88)}`);
  const content = codec.encodeCookieRequestContent({ realKey: new PublicKey(Buffer.alloc(32, 1)), echo: 0x0203n });
  t.equal(content.toString('hex'), `${'01'.repeat(32)}${'00'.repeat(32)}0000000000000203`);
  const data = layOut(0xabcd, 0x01020304, 0x05060708, Buffer.alloc(5, 0xa2));
  t.equal(data.subarray(0, 3).toString('hex'), '1babcd');
  t.equal(data.subarray(19).toString('hex'), `0102030405060708${'a2'.repeat(5)}`, '(1445 - 5) mod 8 is 0');
});

t.test('data is padded to a multiple of 8 below its largest size, and comes back without the padding', async (t) => {
  for (const length of [1, 2, 7, 8, 9, 100, 1365, 1372, 1373, 1374, 1420, 1445]) {
    const data = Buffer.alloc(length, 200);
    const packet = layOut(0, 1, 2, data);
    t.equal((packet.length - 27) % 8, 1445 % 8);
    t.ok(packet.length <= 1472);
    t.same(codec.decodeOpenedData(packet), { bufferStart: 1, packetNumber: 2, data });
  }
});

t.test('data may be padded to the size of a larger packet', async (t) => {
  for (const [length, size, expected] of [
    [5, 1205, 1232],
    [1141, 1373, 1400],
    [1140, 1341, 1368],
    [100, 50, 128],
  ] as const) {
    const packet = layOut(0, 1, 2, Buffer.alloc(length, 0xa2), size);
    t.equal(packet.length, expected);
    t.equal(codec.decodeOpenedData(packet)?.data.length, length);
  }
});

t.test('padding alone is no data', async (t) => {
  const packet = layOut(0, 1, 2, Buffer.alloc(40, 1));
  packet.fill(0, 27);
  t.equal(codec.decodeOpenedData(packet), undefined);
});

t.test('data behind much padding does not keep the padding in memory', async (t) => {
  const packet = Buffer.allocUnsafeSlow(1400).fill(0);
  packet[1399] = 162;
  const content = codec.decodeOpenedData(packet);
  t.equal(content?.data.length, 1);
  t.not(content?.data.buffer, packet.buffer);
});

t.test('bytes that cannot be a data packet have no nonce', async (t) => {
  t.equal(codec.lowNonceOf(Buffer.alloc(27, 0x1b)), undefined);
  t.equal(codec.lowNonceOf(Buffer.alloc(28, 0x1b)), 0x1b1b);
  t.equal(codec.lowNonceOf(Buffer.alloc(1472, 0x1b)), 0x1b1b);
  t.equal(codec.lowNonceOf(Buffer.alloc(1473, 0x1b)), undefined);
  t.equal(codec.lowNonceOf(Buffer.alloc(100, 0x1a)), undefined);
});

t.test('other lengths and kinds are refused, and random bytes never throw', async (t) => {
  const decoders = [
    codec.decodeCookieRequest,
    codec.decodeCookieRequestContent,
    codec.decodeCookieResponse,
    codec.decodeCookieResponseContent,
    codec.decodeCookieContent,
    codec.decodeHandshake,
    codec.decodeHandshakeContent,
  ];
  for (let round = 0; round < 300; round += 1) {
    const bytes = random.bytes(random.below(400));
    for (const decode of decoders) decode(bytes);
    codec.lowNonceOf(bytes);
  }
  for (const size of [145, 161, 385]) {
    const wrongKind = Buffer.alloc(size, 0x77);
    t.equal(codec.decodeCookieRequest(wrongKind), undefined);
    t.equal(codec.decodeCookieResponse(wrongKind), undefined);
    t.equal(codec.decodeHandshake(wrongKind), undefined);
  }
  t.equal(codec.decodeCookieRequest(Buffer.alloc(144, 0x18)), undefined);
  t.equal(codec.decodeCookieResponse(Buffer.alloc(162, 0x19)), undefined);
  t.equal(codec.decodeHandshake(Buffer.alloc(384, 0x1a)), undefined);
});

t.test('the halves of a packet are decoded', async (t) => {
  for (const text of ['ab', 'abc', 'x'.repeat(1373)]) {
    const [first, last] = codec.encodeParts(Buffer.from(text));
    t.same([first[0], first[1], last[0], last[1]], [5, 0, 5, 1]);
    t.ok(first.length - last.length <= 1);
    t.same(codec.decodePart(first)?.isLast, false);
    t.same(codec.decodePart(last)?.isLast, true);
    t.equal(`${codec.decodePart(first)?.bytes}${codec.decodePart(last)?.bytes}`, text);
  }
});

t.test('bytes that are no half are refused', async (t) => {
  for (const bytes of [[5], [5, 0], [5, 1], [5, 2, 7], [5, 255, 7]])
    t.equal(codec.decodePart(Buffer.from(bytes)), undefined);
});
