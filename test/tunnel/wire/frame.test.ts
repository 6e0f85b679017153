import t from 'tap';
import {
  decodeFrame,
  encodeFrame,
  encodeFrames,
  framesSize,
  isVersion1,
  MAX_FRAME_DATA,
  PING,
  TCP,
} from '../../../src/tunnel/wire/frame.js';
import { SeededRandom } from '../../support/seeded-random.js';

t.test('the ping of `tuntox -p` has the bytes that upstream sends', async (t) => {
  const packet = encodeFrame(PING, 0, Buffer.from('Hello'));
  t.equal(packet.toString('hex'), 'a26b01080000000548656c6c6f');
});

t.test('a frame decodes to what was encoded', async (t) => {
  const frame = decodeFrame(encodeFrame(TCP, 0xfffe, Buffer.alloc(MAX_FRAME_DATA, 1)));
  t.match(frame, { type: TCP, id: 0xfffe });
  t.equal(frame?.data.length, MAX_FRAME_DATA);
});

t.test('bytes after the announced data are ignored', async (t) => {
  const packet = Buffer.concat([encodeFrame(TCP, 7, Buffer.from('ab')), Buffer.from('more')]);
  t.equal(decodeFrame(packet)?.data.toString(), 'ab');
});

t.test('packets that upstream drops are dropped', async (t) => {
  const whole = encodeFrame(TCP, 7, Buffer.from('abc'));
  for (let length = 0; length < whole.length; length += 1) t.equal(decodeFrame(whole.subarray(0, length)), undefined);
  const tooLong = Buffer.alloc(8 + MAX_FRAME_DATA + 1);
  encodeFrame(TCP, 7).copy(tooLong);
  tooLong.writeUInt16BE(MAX_FRAME_DATA + 1, 6);
  t.equal(decodeFrame(tooLong), undefined);
  const version1 = Buffer.from(whole);
  version1[1] = 0x6a;
  t.equal(decodeFrame(version1), undefined);
  t.ok(isVersion1(version1));
  t.notOk(isVersion1(whole));
});

t.test('encoding more data than a frame holds throws', async (t) => {
  t.throws(() => encodeFrame(TCP, 1, Buffer.alloc(MAX_FRAME_DATA + 1)), RangeError);
});

t.test('a chunk is cut into full frames and a rest, and no byte is lost', async (t) => {
  const random = new SeededRandom(1);
  for (const size of [1, 1364, 1365, 1366, 2730, 65536]) {
    const chunk = random.bytes(size);
    const length = framesSize(size, MAX_FRAME_DATA);
    const frames = Buffer.alloc(3 + length);
    t.equal(encodeFrames(frames, 3, { type: TCP, id: 9, data: chunk }, MAX_FRAME_DATA), 3 + length);
    const pieces: Buffer[] = [];
    for (let at = 3; at < frames.length; ) {
      const frame = decodeFrame(frames.subarray(at));
      if (frame === undefined) throw new Error('no frame');
      pieces.push(frame.data);
      at += 8 + frame.data.length;
    }
    t.ok(Buffer.concat(pieces).equals(chunk), `${size} bytes`);
    t.equal(pieces.length, Math.ceil(size / MAX_FRAME_DATA));
  }
});

t.test('random and mutated bytes never throw', async (t) => {
  const random = new SeededRandom(2);
  for (let round = 0; round < 2000; round += 1) {
    const packet = encodeFrame(TCP, 1, random.bytes(random.below(40)));
    for (let change = random.below(4); change > 0; change -= 1) packet[random.below(packet.length)] = random.below(256);
    decodeFrame(packet.subarray(0, random.below(packet.length + 1)));
    decodeFrame(random.bytes(random.below(64)));
  }
  t.pass();
});
