/** Who gets one of the places for clients. */
import t, { type Test } from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import type { AccessFactors } from '../../../src/engine/access/access-factors.js';
import { AccessPolicy, friendRequestMessage } from '../../../src/engine/access/access-policy.js';
import { FixedSecretCheck } from '../../../src/engine/access/secret-check.js';
import { noTarget } from '../../../src/engine/access/target-rules.js';
import type { ToxStack } from '../../../src/engine/network/tox-stack.js';
import { ClientAdmission } from '../../../src/engine/server/client-admission.js';
import { generateKeyPair, type PublicKey } from '../../../src/tox/crypto/keys.js';
import type { Friend, FriendRequest } from '../../../src/tox/messenger.js';
import { TunnelService } from '../../../src/tunnel/tunnel-service.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const SECRET = Buffer.from('correct horse');
const PLACES = 512;

/** A door for who has the secret or is on the list, and friends that are there as soon as they are accepted. */
function openDoor(t: Test, listed: readonly PublicKey[]) {
  const random = new SeededRandom(1);
  const deps = { clock: new ManualClock(), random, log: silentLogger };
  const factors: AccessFactors = {
    secret: new FixedSecretCheck(random, SECRET),
    secretGeneration: 0,
    hasWhitelist: true,
    isListed: (key) => listed.some((one) => one.equals(key)),
    hasExpired: () => false,
    isBanned: () => false,
    hasProven: () => false,
    noteProven: () => {},
    require: 'any',
    isOpen: false,
  };
  let ask: (request: FriendRequest) => void = () => {};
  const removed: string[] = [];
  const tox = {
    onFriendRequest: (listener: typeof ask) => {
      ask = listener;
    },
    removeFriend: ({ publicKey }: Friend) => void removed.push(publicKey.hex),
  } as Partial<ToxStack> as ToxStack;
  const tunnels = new TunnelService({ ...deps, mayReach: noTarget });
  const admission = new ClientAdmission({ ...deps, tox, tunnels }, new AccessPolicy(factors));
  t.teardown(() => admission.close());
  const come = (publicKey: PublicKey, secret?: Buffer): void => {
    const [onOnline, onOffline, onLossless, onDrain] = Array(4).fill(() => {});
    const friend = { publicKey, isOnline: true, onOnline, onOffline, onLossless, onDrain } as Partial<Friend>;
    ask({ publicKey, message: friendRequestMessage(secret), source: '', accept: () => friend as Friend });
  };
  const isHere = ({ hex }: PublicKey): boolean => admission.clients.some(({ id }) => id === hex);
  return { admission, come, isHere, removed };
}

const newKeys = (count: number): PublicKey[] => {
  const random = new SeededRandom(2);
  return Array.from({ length: count }, () => generateKeyPair(random).publicKey);
};

t.test(
  'who has the secret may take all places with ever new keys, but none from who is on the whitelist',
  async (t) => {
    const [first, second, late, ...crowd] = newKeys(PLACES + 2) as [PublicKey, PublicKey, PublicKey, ...PublicKey[]];
    const { admission, come, isHere, removed } = openDoor(t, [first, second]);
    come(first);
    for (const key of crowd) come(key, SECRET);
    t.equal(admission.clients.length, PLACES);
    come(late, SECRET);
    t.notOk(isHere(late), 'all places are taken');
    t.match(admission.refusals, { total: { full: 1 }, lastDay: { full: 1 } });
    come(second);
    t.ok(isHere(first) && isHere(second));
    t.same(removed, [crowd.at(-1)?.hex], 'the last of the others has gone');
    t.equal(admission.clients.length, PLACES);
  },
);

t.test('a server full of clients on the whitelist admits no more of them', async (t) => {
  const keys = newKeys(PLACES + 1);
  const { admission, come, isHere, removed } = openDoor(t, keys);
  for (const key of keys) come(key);
  t.equal(admission.clients.length, PLACES);
  t.notOk(isHere(keys.at(-1) as PublicKey));
  t.same(removed, []);
});
