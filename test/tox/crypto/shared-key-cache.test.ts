import t from 'tap';
import { sharedKey } from '../../../src/tox/crypto/box.js';
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
