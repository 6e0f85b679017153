import t from 'tap';
import { ByteReader, ByteWriter, ownedCopy } from '../../src/base/bytes.js';

t.test('a reader returns what a writer wrote', async (t) => {
  const packet = new ByteWriter(1 + 2 + 4 + 8 + 2 + 4 + 3 + 2)
    .u8(0xab)
    .u16(0x1234)
    .u32(0xdeadbeef)
    .u64(0x0102030405060708n)
    .u16LE(0x1234)
    .u32LE(0xdeadbeef)
    .bytes(Buffer.from('abc'))
    .zeros(2)
    .finish();
  const reader = new ByteReader(packet);
  t.equal(reader.u8(), 0xab);
  t.equal(reader.u16(), 0x1234);
  t.equal(reader.u32(), 0xdeadbeef);
  t.equal(reader.u64(), 0x0102030405060708n);
  t.equal(reader.u16LE(), 0x1234);
  t.equal(reader.u32LE(), 0xdeadbeef);
  t.equal(reader.bytes(3).toString(), 'abc');
  t.notOk(reader.isComplete);
  t.same([...reader.rest()], [0, 0]);
  t.ok(reader.isComplete);
});

t.test('a read past the end fails the reader permanently and never throws', async (t) => {
  const reader = new ByteReader(Buffer.from([1, 2, 3]));
  t.equal(reader.u32(), 0);
  t.notOk(reader.ok);
  t.equal(reader.u8(), 0, 'also where bytes would be left');
  t.equal(reader.bytes(1).length, 0);
  t.notOk(reader.isComplete);
});

t.test('a negative length fails the reader', async (t) => {
  const reader = new ByteReader(Buffer.alloc(4));
  t.equal(reader.bytes(-1).length, 0);
  t.notOk(reader.ok);
});

t.test('a writer that is not filled exactly throws', async (t) => {
  t.throws(() => new ByteWriter(2).u8(1).finish(), RangeError);
  t.throws(() => new ByteWriter(1).bytes(Buffer.alloc(2)), RangeError);
});

t.test('an owned copy shares no memory with its source', async (t) => {
  const source = Buffer.from('secret');
  const copy = ownedCopy(source);
  source.fill(0);
  t.equal(copy.toString(), 'secret');
  t.equal(copy.buffer.byteLength, 6, 'and is not a slice of a pool');
});
