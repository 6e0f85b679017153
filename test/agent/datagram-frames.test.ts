import t from 'tap';
import { DatagramFrameReader, encodeDatagramFrame } from '../../src/agent/datagram-frames.js';
import { SeededRandom } from '../support/seeded-random.js';

t.test('a frame is the length and the bytes', async (t) => {
  t.same(encodeDatagramFrame(Buffer.from('hi')), Buffer.from('00026869', 'hex'));
  t.same(encodeDatagramFrame(Buffer.alloc(0)), Buffer.from('0000', 'hex'));
  t.throws(() => encodeDatagramFrame(Buffer.alloc(65_536)), RangeError);
});

t.test('datagrams come out whole, however the stream is cut', async (t) => {
  const random = new SeededRandom(1);
  const sent = [0, 1, 2, 1369, 65_507, 0, 65_535, 7].map((size) => random.bytes(size));
  const stream = Buffer.concat(sent.map((bytes) => encodeDatagramFrame(bytes)));
  for (const most of [1, 3, 1000, stream.length]) {
    const received: Buffer[] = [];
    const reader = new DatagramFrameReader((bytes) => received.push(Buffer.from(bytes)));
    for (let at = 0; at < stream.length; ) {
      const size = most === 1 ? 1 + random.below(600) : most;
      reader.push(stream.subarray(at, at + size));
      at += size;
    }
    t.same(
      received.map(({ length }) => length),
      sent.map(({ length }) => length),
    );
    t.ok(Buffer.concat(received).equals(Buffer.concat(sent)));
  }
});
