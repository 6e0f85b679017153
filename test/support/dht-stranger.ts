/** The other end of a DHT packet, made by hand: seals and opens with a key pair of its own. */

import { generateKeyPair } from '../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../src/tox/crypto/keys.js';
import { SharedKeyCache } from '../../src/tox/crypto/shared-key-cache.js';
import { DhtBox } from '../../src/tox/dht/rpc/dht-box.js';
import { ManualClock } from './manual-clock.js';
import { SeededRandom } from './seeded-random.js';

export interface Stranger {
  readonly publicKey: PublicKey;
  readonly box: DhtBox;
}

export function stranger(seed: number, clock = new ManualClock()): Stranger {
  const random = new SeededRandom(seed);
  const { publicKey, secretKey } = generateKeyPair(random);
  const sharedKeys = new SharedKeyCache(secretKey);
  return { publicKey, box: new DhtBox({ clock, random, ownKey: publicKey, sharedKeys }) };
}
