import t from 'tap';
import { seal, sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair, type KeyPair } from '../../../src/tox/crypto/key-pair.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { SharedKeyCache } from '../../../src/tox/crypto/shared-key-cache.js';
import { SeededRandom } from '../../support/seeded-random.js';

t.test('the cache returns the shared key, and computes it once', async (t) => {
  const random = new SeededRandom(1);
  const ours = generateKeyPair(random);
  const peer = generateKeyPair(random);
  const cache = new SharedKeyCache(ours.secretKey);
  const key = cache.get(peer.publicKey);
  t.ok(key.equals(sharedKey(ours.publicKey, peer.secretKey)));
  t.equal(cache.get(peer.publicKey), key);
});

t.test('the cache drops the peer that was used longest ago', async (t) => {
  const random = new SeededRandom(2);
  const cache = new SharedKeyCache(generateKeyPair(random).secretKey, 2);
  const [a, b, c] = [generateKeyPair(random), generateKeyPair(random), generateKeyPair(random)];
  const first = cache.get(a.publicKey);
  const second = cache.get(b.publicKey);
  cache.get(a.publicKey);
  cache.get(c.publicKey);
  t.equal(cache.get(a.publicKey), first);
  t.not(cache.get(b.publicKey), second, 'was computed again');
  t.ok(cache.get(b.publicKey).equals(second));
});

t.test('garbage under made-up keys evicts no peer', async (t) => {
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

/** A cache for four keys, and the packets of others with the calls of `mayTry`. */
function notingCache(seed: number) {
  const random = new SeededRandom(seed);
  const ours = generateKeyPair(random);
  const cache = new SharedKeyCache(ours.secretKey, 4);
  const asked: boolean[] = [];
  const receive = (from: KeyPair, isGenuine = true): boolean => {
    const nonce = random.bytes(24);
    const sealed = seal(sharedKey(ours.publicKey, from.secretKey), nonce, Buffer.from('hello'));
    if (!isGenuine) sealed[0] = (sealed[0] as number) ^ 1;
    return cache.open(from.publicKey, nonce, sealed, (isKnown) => asked.push(isKnown) > 0) !== undefined;
  };
  return { random, ours, cache, asked, receive };
}

t.test('peers to which we send stay cached, however many strangers send packets', async (t) => {
  const { random, cache, asked, receive } = notingCache(4);
  const node = generateKeyPair(random);
  cache.get(node.publicKey);
  for (let count = 0; count < 50; count += 1) t.ok(receive(generateKeyPair(random)));
  asked.length = 0;
  t.ok(receive(node));
  t.same(asked, [true]);
});

t.test('garbage that names a known peer does not use up the share of that peer', async (t) => {
  const { random, asked, receive } = notingCache(5);
  const peer = generateKeyPair(random);
  receive(peer);
  asked.length = 0;
  t.notOk(receive(peer, false));
  t.same(asked, []);
});

t.test('a key with its top bit set opens nothing, since it would be a second name of its owner', async (t) => {
  const { random, asked, receive } = notingCache(6);
  const peer = generateKeyPair(random);
  const alias = Buffer.from(peer.publicKey.bytes);
  alias[31] = (alias[31] as number) | 0x80;
  t.ok(receive(peer));
  t.notOk(receive({ publicKey: new PublicKey(alias), secretKey: peer.secretKey }));
  t.equal(asked.length, 1);
});
