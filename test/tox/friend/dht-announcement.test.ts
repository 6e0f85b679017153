import t from 'tap';
import { generateKeyPair } from '../../../src/tox/crypto/keys.js';
import { SharedKeyCache } from '../../../src/tox/crypto/shared-key-cache.js';
import { openDhtAnnouncement, sealDhtAnnouncement } from '../../../src/tox/friend/dht-announcement.js';
import { mutations } from '../../support/fuzz.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(1);
const [alice, bob] = [generateKeyPair(random), generateKeyPair(random)];
const DATA = Buffer.from('an announcement');
const own = { random, ownKey: alice.publicKey, realKeys: new SharedKeyCache(alice.secretKey) };
const packet = sealDhtAnnouncement(own, bob.publicKey, DATA);

t.test('a friend reads what a friend has sealed, and who it was', async (t) => {
  const opened = openDhtAnnouncement(new SharedKeyCache(bob.secretKey), packet, () => true);
  t.same(opened?.data, DATA);
  t.equal(opened?.sender.hex, alice.publicKey.hex);
});

t.test('for a stranger nothing is computed', async (t) => {
  const asked: string[] = [];
  const isKnown = (sender: { hex: string }): boolean => {
    asked.push(sender.hex);
    return false;
  };
  t.equal(openDhtAnnouncement(new SharedKeyCache(bob.secretKey), packet, isKnown), undefined);
  t.same(asked, [alice.publicKey.hex]);
});

t.test('hostile bytes open nowhere', async (t) => {
  const keys = new SharedKeyCache(bob.secretKey);
  for (const bytes of mutations(2, [packet], 1_000)) {
    if (!bytes.equals(packet) && openDhtAnnouncement(keys, bytes, () => true)) t.fail('opened');
  }
});
