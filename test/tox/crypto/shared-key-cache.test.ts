import t from 'tap';
import { seal, sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair } from '../../../src/tox/crypto/keys.js';
import { SharedKeyCache } from '../../../src/tox/crypto/shared-key-cache.js';
import { SeededRandom } from '../../support/seeded-random.js';

t.test('gives the shared key, and computes it once', async (t) => {
  const random = new SeededRandom(1);
  const ours = generateKeyPair(random);
  const peer = generateKeyPair(random);
  const cache = new SharedKeyCache(ours.secretKey);
  const key = cache.get(peer.publicKey);
  t.ok(key.equals(sharedKey(ours.publicKey, peer.secretKey)));
  t.equal(cache.get(peer.publicKey), key);
});

t.test('forgets the peer that was met longest ago', async (t) => {
  const random = new SeededRandom(2);
  const cache = new SharedKeyCache(generateKeyPair(random).secretKey, 2);
  const [a, b, c] = [generateKeyPair(random), generateKeyPair(random), generateKeyPair(random)];
  const first = cache.get(a.publicKey);
  const second = cache.get(b.publicKey);
  cache.get(a.publicKey);
  cache.get(c.publicKey);
  t.equal(cache.get(a.publicKey), first);
  t.not(cache.get(b.publicKey), second, 'was computed anew');
  t.ok(cache.get(b.publicKey).equals(second));
});

t.test('garbage under made-up keys pushes nobody out', async (t) => {
  const random = new SeededRandom(3);
  const ours = generateKeyPair(random);
  const peer = generateKeyPair(random);
  const cache = new SharedKeyCache(ours.secretKey, 2);
  const nonce = random.bytes(24);
  const sealed = seal(sharedKey(ours.publicKey, peer.secretKey), nonce, Buffer.from('hello'));
  const asked: boolean[] = [];
  const open = (from = peer.publicKey, may = true): string | undefined =>
    cache
      .open(from, nonce, sealed, (isKnown) => {
        asked.push(isKnown);
        return may;
      })
      ?.toString();
  t.equal(open(peer.publicKey, false), undefined, 'only when it may');
  t.equal(open(), 'hello');
  for (let made = 0; made < 5; made += 1) t.equal(open(generateKeyPair(random).publicKey), undefined);
  t.equal(open(), 'hello');
  t.equal(open(peer.publicKey, false), undefined, 'also for those whom it knows');
  t.same(asked, [false, false, false, false, false, false, false, true, true]);
});
