import t from 'tap';
import { decodeDatagram, encodeDatagram, MAX_DATAGRAM } from '../../../src/tunnel/datagram/datagram-packet.js';
import { SeededRandom } from '../../support/seeded-random.js';

const FROM = { tunnelId: 0x1234, isAcceptor: false, number: 7 };

t.test('a datagram that fits is one packet with four bytes more', async (t) => {
  t.same(encodeDatagram(Buffer.from('hi'), FROM, 1141), [Buffer.from('d50012346869', 'hex')]);
  t.same(encodeDatagram(Buffer.alloc(0), { ...FROM, isAcceptor: true }, 1141), [Buffer.from('d5011234', 'hex')]);
  t.equal(encodeDatagram(Buffer.alloc(1137), FROM, 1141).length, 1);
});

t.test('a longer one is fragments, all but the last as long as the path takes', async (t) => {
  const packets = encodeDatagram(Buffer.from('abcdefghij'), { ...FROM, isAcceptor: true }, 12);
  t.same(
    packets.map((packet) => packet.toString('latin1', 8)),
    ['abcd', 'efgh', 'ij'],
  );
  t.same(
    packets.map((packet) => packet.toString('hex', 0, 8)),
    ['d503123400070003', 'd503123400070103', 'd503123400070203'],
  );
});

t.test('the largest datagram has few enough fragments on every path', async (t) => {
  const bytes = new SeededRandom(1).bytes(MAX_DATAGRAM);
  for (const [size, count] of [
    [1141, 58],
    [1373, 48],
    [266, 254],
  ] as const) {
    const packets = encodeDatagram(bytes, FROM, size);
    t.equal(packets.length, count);
    const decoded = packets.map((packet) => decodeDatagram(packet));
    t.ok(bytes.equals(Buffer.concat(decoded.map((each) => each?.bytes ?? Buffer.alloc(0)))));
    t.same(
      decoded.map((each) => each?.fragment),
      packets.map((_, index) => ({ number: 7, index, count })),
    );
  }
});

t.test('what is no datagram is not decoded', async (t) => {
  for (const hex of [
    '',
    'd5',
    'd50012',
    'd4001234', // another kind
    'd5041234', // an unknown flag
    'd502123400070002', // a fragment without bytes
    'd50212340007000141', // the only fragment
    'd50212340007020241', // a fragment after the last one
    'd50212340007000041', // no fragments at all
  ]) {
    t.equal(decodeDatagram(Buffer.from(hex, 'hex')), undefined, hex);
  }
});

t.test('random packets never throw, and what is decoded is encoded again to the same bytes', async (t) => {
  const random = new SeededRandom(2);
  let decodedCount = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const packet = random.bytes(random.below(20));
    if (round % 2 === 0 && packet.length > 1) packet.set([0xd5, random.below(6)]);
    const decoded = decodeDatagram(packet);
    if (decoded === undefined) continue;
    decodedCount += 1;
    if (decoded.fragment !== undefined) continue;
    const from = { tunnelId: decoded.tunnelId, isAcceptor: decoded.isFromAcceptor, number: 0 };
    if (!packet.equals(encodeDatagram(decoded.bytes, from, 1141)[0] as Buffer)) t.fail(packet.toString('hex'));
  }
  t.ok(decodedCount > 1000);
});
