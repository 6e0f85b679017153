import t from 'tap';
import { PacketHalves } from '../../../../src/tox/net-crypto/stream/packet-halves.js';
import { encodeParts } from '../../../../src/tox/packet/net-crypto.js';

const [A, B] = encodeParts(Buffer.from('first and last'));

t.test('two halves are joined in either order, among the halves of other packets', async (t) => {
  const parts = new PacketHalves();
  t.equal(parts.join(7, A), undefined);
  t.equal(parts.join(8, B), undefined);
  t.equal(`${parts.join(7, B)}`, 'first and last');
  t.equal(`${parts.join(8, A)}`, 'first and last');
});

t.test('a duplicate half does not complete the packet', async (t) => {
  const parts = new PacketHalves();
  parts.join(7, A);
  t.equal(parts.join(7, A), undefined);
  t.equal(`${parts.join(7, B)}`, 'first and last');
  t.equal(parts.join(7, B), undefined, 'and nothing is kept when it is complete');
});

t.test('the latest 256 unpaired halves are kept', async (t) => {
  const parts = new PacketHalves();
  for (let number = 0; number <= 256; number += 1) parts.join(number, A);
  t.equal(parts.join(0, B), undefined);
  t.equal(`${parts.join(256, B)}`, 'first and last');
});

t.test('halves that are too long together are dropped', async (t) => {
  const parts = new PacketHalves();
  const half = (isLast: number): Buffer => Buffer.concat([Buffer.from([5, isLast]), Buffer.alloc(723)]);
  parts.join(7, half(0));
  t.equal(parts.join(7, half(1)), undefined);
});

t.test('a stored half does not keep the larger buffer that it came in', async (t) => {
  const parts = new PacketHalves();
  const read = Buffer.alloc(65_536);
  A.copy(read, 100);
  parts.join(7, read.subarray(100, 100 + A.length));
  read.fill(0);
  t.equal(`${parts.join(7, B)}`, 'first and last');
});
