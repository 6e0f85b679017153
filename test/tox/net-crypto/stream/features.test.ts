import t from 'tap';
import { Features } from '../../../../src/tox/net-crypto/stream/features.js';
import { CryptoKind } from '../../../../src/tox/packet/kind.js';

t.test('two peers of our kind recognize each other after a packet each way and send no more', async (t) => {
  const near = new Features();
  const far = new Features();
  t.notOk(near.hasListEnd);
  t.ok(far.receive(near.next(0) as Buffer), 'it wants an answer');
  t.ok(far.hasListEnd && far.hasParts && far.hasTimes);
  t.equal(far.maxData, 1445);
  t.notOk(near.receive(far.next(0) as Buffer));
  t.ok(near.hasListEnd);
  t.notOk(far.receive(near.next(0) as Buffer));
  t.equal(near.next(100_000), undefined);
  t.equal(far.next(100_000), undefined);
});

/** Returns the seconds of an hour in which a copy is sent to a peer whose packets arrive. */
function copiesWithin(features: Features): number[] {
  const seconds: number[] = [];
  for (let second = 0; second < 3600; second += 1) {
    features.onReceived(CryptoKind.Request);
    if (features.next(second * 1000) !== undefined) seconds.push(second);
  }
  return seconds;
}

t.test('a peer that never answers gets eight feature packets, then fewer and fewer, down to one in 64 s', async (t) => {
  const features = new Features();
  t.same(copiesWithin(features).slice(0, 16), [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 14, 22, 38, 70, 134, 198]);
  t.notOk(features.isOurKind);
});

t.test('copies sent while nothing arrives from the peer do not count', async (t) => {
  const features = new Features();
  for (let count = 0; count < 30; count += 1) t.ok(features.next(0));
  t.same(copiesWithin(features).slice(0, 8), [0, 1, 2, 3, 4, 5, 6, 7]);
});

t.test('a lost answer is sent again when the peer reports that it got none', async (t) => {
  const near = new Features();
  const far = new Features();
  far.receive(near.next(0) as Buffer);
  copiesWithin(far);
  t.ok(far.receive(near.next(0) as Buffer));
  t.ok(near.receive(far.next(3600_000) as Buffer) === false && near.isOurKind);
});

t.test('a request packet of our own kind shows that the peer has our features', async (t) => {
  const features = new Features();
  features.receive(Buffer.from([CryptoKind.Features, 0x0f]));
  t.ok(features.next(0));
  t.ok(features.next(0), 'the answer may be lost');
  features.onReceived(CryptoKind.RequestWithTime);
  t.equal(features.next(0), undefined);
});

t.test(
  'a request packet of our own kind from a peer whose features are unknown brings a copy each second',
  async (t) => {
    const features = new Features();
    const asleep = copiesWithin(features).at(-1) as number;
    features.onReceived(CryptoKind.RequestWithEnd);
    const awake = [1, 1.5, 2, 2.5, 3, 3.5].filter((second) => {
      features.onReceived(CryptoKind.RequestWithEnd);
      return features.next((asleep + second) * 1000) !== undefined;
    });
    t.same(awake, [1, 2, 3]);
  },
);

t.test('a truncated packet announces a peer of our kind without features', async (t) => {
  const features = new Features();
  features.receive(Buffer.from([3]));
  t.ok(features.isOurKind);
  t.notOk(features.hasListEnd || features.hasParts || features.hasTimes);
  t.equal(features.maxData, 1373);
});
