/** Who gets one of the places for clients. */
import t, { type Test } from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import type { AccessFactors } from '../../../src/engine/access/access-factors.js';
import { AccessPolicy, friendRequestMessage } from '../../../src/engine/access/access-policy.js';
import { FixedSecretCheck } from '../../../src/engine/access/secret-check.js';
import type { ToxStack } from '../../../src/engine/network/tox-stack.js';
import { ClientAdmission } from '../../../src/engine/server/client-admission.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
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
  const factors: { -readonly [key in keyof AccessFactors]: AccessFactors[key] } = {
    secret: new FixedSecretCheck(random, SECRET),
    secretGeneration: 0,
    hasWhitelist: true,
    listing: (key) => (listed.some((one) => one.equals(key)) ? 'listed' : 'none'),
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
  const tunnels = new TunnelService(deps);
  const admission = new ClientAdmission({ ...deps, tox, tunnels }, new AccessPolicy(factors));
  t.teardown(() => admission.close());
  const come = (publicKey: PublicKey, secret?: Buffer): void => {
    const [onPresence, onLossless, onLossy, onDrain] = Array(4).fill(() => {});
    const listeners = { onPresence, onLossless, onLossy, onDrain };
    const friend: Partial<Friend> = { publicKey, isOnline: true, ...listeners };
    ask({ publicKey, message: friendRequestMessage(secret), source: '', accept: () => friend as Friend });
  };
  const isHere = ({ hex }: PublicKey): boolean => admission.clients.some(({ id }) => id === hex);
  return { admission, come, isHere, removed, factors, clock: deps.clock };
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

t.test('a client that was refused hours ago is admitted as soon as it is on the whitelist', async (t) => {
  const listed: PublicKey[] = [];
  const { admission, come, isHere, clock } = openDoor(t, listed);
  const [client, other] = newKeys(2) as [PublicKey, PublicKey];
  for (const key of [client, other]) come(key);
  t.match(admission.pending, [{ publicKey: client, reason: 'no-secret' }, { publicKey: other }]);
  clock.advance(5 * 3_600_000);
  listed.push(client);
  admission.review();
  t.ok(isHere(client));
  t.match(admission.pending, [{ publicKey: other }], 'and it is no longer pending');
  t.equal(admission.pending.length, 1);
});

t.test('a server that is opened admits those that asked a moment ago; others have to ask again', async (t) => {
  const { admission, come, isHere, factors, clock } = openDoor(t, []);
  const [early, late] = newKeys(2) as [PublicKey, PublicKey];
  come(early);
  clock.advance(60_000);
  come(late);
  Object.assign(factors, { secret: undefined, hasWhitelist: false, isOpen: true });
  admission.review();
  t.same([isHere(early), isHere(late)], [false, true]);
  come(early);
  t.ok(isHere(early));
});

t.test('a full server lists who asks', async (t) => {
  const keys = newKeys(PLACES + 1);
  const { admission, come } = openDoor(t, keys);
  for (const key of keys) come(key);
  t.match(admission.pending, [{ publicKey: keys.at(-1), reason: 'full', hasSentSecret: false }]);
});
