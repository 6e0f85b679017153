import t from 'tap';
import { CryptoKind } from '../../../src/tox/packet/kind.js';
import {
  decodeArrival,
  encodePacketRequest,
  isPacketRequest,
  readPacketRequest,
} from '../../../src/tox/packet/net-crypto-request.js';
import { SeededRandom } from '../../support/seeded-random.js';

function encode(start: number, end: number, missing: Iterable<number>): number[] {
  const set = new Set(missing);
  return [...encodePacketRequest(start, end, (number) => set.has(number))];
}

function read(bytes: readonly number[], start: number, end: number): { missing: number[]; received: number[] } {
  const missing: number[] = [];
  const received: number[] = [];
  readPacketRequest(Buffer.from(bytes), start, end, {
    onMissing: (number) => missing.push(number),
    onReceived: (number) => received.push(number),
  });
  return { missing, received };
}

t.test('published request packets are decoded', async (t) => {
  t.same(encode(1, 1025, [3, 6, 1024]), [1, 3, 3, 0, 0, 0, 253]);
  t.same(encode(0, 300, [254]), [1, 255], 'the 255th packet missing is the byte 255');
  t.same(encode(5, 5, []), [1], 'nothing to speak of');
  t.same(encode(0, 1, [0]), [1, 1], 'a hole at the start counts as 1');
});

t.test('the sender decodes what the receiver encoded, over 2000 random windows', async (t) => {
  const random = new SeededRandom(2);
  for (let round = 0; round < 2000; round += 1) {
    const start = random.below(3) === 0 ? 0xffff_ff00 : random.below(1000);
    const length = random.below(1500);
    const rarity = 2 + random.below(400);
    const missing: number[] = [];
    for (let at = 0; at < length; at += 1) if (random.below(rarity) === 0) missing.push((start + at) >>> 0);
    const end = (start + length) >>> 0;
    const result = read(encode(start, end, missing), start, end);
    const spoken = missing.length === 0 ? 0 : (((missing.at(-1) as number) - start) >>> 0) + 1;
    const isRight =
      result.missing.join() === missing.join() &&
      result.missing.length + result.received.length >= spoken &&
      !result.received.some((number) => missing.includes(number));
    if (!isRight) t.fail(`${start}, ${end}, ${missing.join()}`);
  }
});

t.test('a list with an end covers everything received up to it', async (t) => {
  const encoded = encodePacketRequest(0, 10, (number) => number === 2, CryptoKind.RequestWithEnd);
  t.same([...encoded], [4, 3, 8]);
  t.same(read([...encoded], 0, 20), { missing: [2], received: [0, 1, 3, 4, 5, 6, 7, 8, 9] });
  t.same(read([4, 1], 0, 20), { missing: [], received: [] }, 'nothing is known');
  t.same(read([4], 0, 3).missing, [], 'an end that is not there');
});

t.test('a list with an end is read as it was written, over 2000 random windows', async (t) => {
  const random = new SeededRandom(3);
  for (let round = 0; round < 2000; round += 1) {
    const length = random.below(1500);
    const rarity = 2 + random.below(400);
    const missing = new Set<number>();
    for (let at = 0; at < length; at += 1) if (random.below(rarity) === 0) missing.add(at);
    const encoded = encodePacketRequest(0, length, (number) => missing.has(number), CryptoKind.RequestWithEnd);
    const result = read([...encoded], 0, length + 100);
    const isRight =
      result.missing.join() === [...missing].join() && result.missing.length + result.received.length === length;
    if (!isRight) t.fail(`${length}, ${[...missing].join()}`);
  }
});

t.test('a request packet states when the last packet arrived, and its list is read as it was written', async (t) => {
  const arrival = { time: 0xfffe_0001, isSending: true };
  const encoded = encodePacketRequest(0, 10, (number) => number === 2, arrival);
  t.same([...encoded], [6, 1, 0xff, 0xfe, 0, 1, 3, 8]);
  t.same(decodeArrival(encoded), arrival);
  t.same(read([...encoded], 0, 20), { missing: [2], received: [0, 1, 3, 4, 5, 6, 7, 8, 9] });
  t.same(decodeArrival(Buffer.from([6, 0, 0, 0, 0, 9])), { time: 9, isSending: false });
  const full = encodePacketRequest(0, 5000, () => true, arrival);
  t.equal(full.length, 1141);
  t.equal(read([...full], 0, 5000).missing.length, 1134, 'the last one may be cut off');
});

t.test('a request packet without a time, or cut off before its end, states no arrival', async (t) => {
  t.equal(decodeArrival(Buffer.from([4, 1, 0, 0, 0, 9])), undefined);
  t.equal(decodeArrival(Buffer.from([6, 1, 0, 0, 0])), undefined);
  t.same(read([6, 1, 0, 0, 0], 0, 20), { missing: [], received: [] });
  t.ok([1, 4, 6].every((id) => isPacketRequest(Buffer.from([id]))));
  t.notOk([0, 2, 3, 5, 16, 192].some((id) => isPacketRequest(Buffer.from([id]))));
});

t.test('a list of holes stops where the packet is full', async (t) => {
  const bytes = encode(
    0,
    5000,
    Array.from({ length: 5000 }, (_, at) => at),
  );
  t.equal(bytes.length, 1141);
  t.equal(read(bytes, 0, 5000).missing.length, 1140);
});

t.test('packets after the last byte of the list are not reported', async (t) => {
  t.same(read([1, 2], 0, 10), { missing: [1], received: [0] });
});

t.test('bytes beyond the end of the window are ignored', async (t) => {
  t.same(read([1, 1, 1, 1, 1, 1], 0, 2), { missing: [0, 1], received: [] });
});

t.test('a 0 means 255 packets that arrived, also at the end', async (t) => {
  const { missing, received } = read([1, 1, 0], 0, 400);
  t.same(missing, [0]);
  t.same(received.length, 255);
});

t.test('no bytes make the decoder throw or report a number outside of the window', async (t) => {
  const random = new SeededRandom(3);
  for (let round = 0; round < 500; round += 1) {
    const bytes = random.bytes(1 + random.below(1373));
    bytes[0] = [1, 4, 6][random.below(3)] as number;
    const length = random.below(3000);
    let told = 0;
    const tell = (number: number): void => {
      if (number >= length) t.fail(`${number} of ${length}`);
      told += 1;
    };
    readPacketRequest(bytes, 0, length, { onMissing: tell, onReceived: tell });
    if (told > length) t.fail('told twice');
  }
});
