import t from 'tap';
import { Features } from '../../../../src/tox/net-crypto/stream/features.js';

t.test('two peers of our kind recognize each other after a packet each way and send no more', async (t) => {
  const near = new Features();
  const far = new Features();
  t.notOk(near.hasListEnd);
  t.ok(far.receive(near.next() as Buffer), 'it wants an answer');
  t.ok(far.hasListEnd && far.hasParts && far.hasTimes);
  t.equal(far.maxData, 1445);
  t.notOk(near.receive(far.next() as Buffer));
  t.ok(near.hasListEnd);
  t.notOk(far.receive(near.next() as Buffer));
  t.equal(near.next(), undefined);
});

t.test('a peer that never answers gets eight feature packets', async (t) => {
  const features = new Features();
  let count = 0;
  while (features.next() !== undefined) count += 1;
  t.equal(count, 8);
  t.notOk(features.isOurKind);
});

t.test('a lost answer is sent again when the peer reports that it got none', async (t) => {
  const near = new Features();
  const far = new Features();
  far.receive(near.next() as Buffer);
  while (far.next() !== undefined);
  t.ok(far.receive(near.next() as Buffer));
  t.ok(near.receive(far.next() as Buffer) === false && near.isOurKind);
});

t.test('a truncated packet announces a peer of our kind without features', async (t) => {
  const features = new Features();
  features.receive(Buffer.from([3]));
  t.ok(features.isOurKind);
  t.notOk(features.hasListEnd || features.hasParts || features.hasTimes);
  t.equal(features.maxData, 1373);
});
