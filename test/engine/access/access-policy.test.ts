import { inspect } from 'node:util';
import t from 'tap';
import { FixedFactors } from '../../../src/engine/access/access-factors.js';
import { AccessPolicy, friendRequestMessage } from '../../../src/engine/access/access-policy.js';
import { generateKeyPair, PublicKey } from '../../../src/tox/crypto/keys.js';
import { SeededRandom } from '../../support/seeded-random.js';

type AccessFactors = ConstructorParameters<typeof FixedFactors>[1];

const SECRET = Buffer.from('correct horse');
const random = new SeededRandom(1);
const newKey = (): PublicKey => generateKeyPair(random).publicKey;
const LISTED = newKey();
const STRANGER = newKey();

const policy = (factors: Partial<AccessFactors>): AccessPolicy =>
  new AccessPolicy(
    new FixedFactors({ random }, { secret: undefined, whitelist: [], isInsecureOpen: false, ...factors }),
  );

/** `admitted by …` or the reason of the refusal. */
function outcome(of: AccessPolicy, key: PublicKey, message: Buffer, now = 0): string {
  const decision = of.decide(key, message, now);
  return decision.isAdmitted ? `admitted by ${decision.factors}` : decision.reason;
}

const message = (secret?: string): Buffer =>
  friendRequestMessage(secret === undefined ? undefined : Buffer.from(secret));

t.test('the whole decision table', async (t) => {
  const right = message(SECRET.toString());
  const wrong = message('wrong horse');
  const none = message();
  const both = { secret: SECRET, whitelist: [LISTED] };
  const table: [Partial<AccessFactors>, PublicKey, Buffer, string][] = [
    [{}, STRANGER, none, 'closed'],
    [{}, STRANGER, right, 'closed'],
    [{ isInsecureOpen: true }, STRANGER, none, 'admitted by none'],
    [{ isInsecureOpen: true }, STRANGER, wrong, 'admitted by none'],
    [{ secret: SECRET }, STRANGER, right, 'admitted by secret'],
    [{ secret: SECRET }, STRANGER, wrong, 'wrong-secret'],
    [{ secret: SECRET }, STRANGER, none, 'no-secret'],
    [{ secret: SECRET, isInsecureOpen: true }, STRANGER, right, 'admitted by secret'],
    [{ secret: SECRET, isInsecureOpen: true }, STRANGER, wrong, 'wrong-secret'],
    [{ secret: SECRET, isInsecureOpen: true }, STRANGER, none, 'no-secret'],
    [{ whitelist: [LISTED] }, LISTED, none, 'admitted by whitelist'],
    [{ whitelist: [LISTED] }, LISTED, wrong, 'admitted by whitelist'],
    [{ whitelist: [LISTED] }, STRANGER, right, 'not-whitelisted'],
    [{ whitelist: [LISTED], isInsecureOpen: true }, STRANGER, none, 'not-whitelisted'],
    [{ whitelist: [newKey(), LISTED] }, LISTED, none, 'admitted by whitelist'],
    [both, LISTED, right, 'admitted by secret and whitelist'],
    [both, LISTED, wrong, 'wrong-secret'],
    [both, LISTED, none, 'no-secret'],
    [both, STRANGER, right, 'not-whitelisted'],
    [both, STRANGER, wrong, 'not-whitelisted'],
    [both, STRANGER, none, 'not-whitelisted'],
    [{ ...both, isInsecureOpen: true }, STRANGER, right, 'not-whitelisted'],
  ];
  for (const [factors, key, text, expected] of table) {
    t.equal(outcome(policy(factors), key, text), expected, inspect({ factors: Object.keys(factors), expected }));
  }
});

t.test('the secret must be there exactly, with one zero byte after it', async (t) => {
  const server = policy({ secret: SECRET });
  const texts: [Buffer, string][] = [
    [Buffer.concat([SECRET, Buffer.from([0, 0])]), 'wrong-secret'],
    [Buffer.concat([SECRET, Buffer.from('\0junk\0')]), 'wrong-secret'],
    [Buffer.concat([SECRET.subarray(0, -1), Buffer.from([0])]), 'wrong-secret'],
    [Buffer.from([0]), 'wrong-secret'],
    [SECRET, 'no-secret'],
    [Buffer.alloc(0), 'no-secret'],
  ];
  for (const [text, expected] of texts)
    t.equal(outcome(server, newKey(), text), expected, JSON.stringify(text.toString()));
});

t.test('it knows whether it is closed or open', async (t) => {
  t.match(policy({}), { isClosed: true, isOpen: false });
  t.match(policy({ isInsecureOpen: true }), { isClosed: false, isOpen: true });
  t.match(policy({ isInsecureOpen: true, secret: SECRET }), { isClosed: false, isOpen: false });
  t.match(policy({ isInsecureOpen: true, whitelist: [LISTED] }), { isClosed: false, isOpen: false });
});

t.test('who was refused gets in at once with the right secret', async (t) => {
  const server = policy({ secret: SECRET });
  t.equal(outcome(server, STRANGER, message('wrong')), 'wrong-secret');
  t.equal(outcome(server, STRANGER, message(SECRET.toString())), 'admitted by secret');
});

t.test('the same wrong secret again and again, as a client repeats its request, does not count', async (t) => {
  const server = policy({ secret: SECRET });
  for (let count = 0; count < 1000; count += 1) outcome(server, STRANGER, message('wrong'), count);
  t.equal(outcome(server, STRANGER, message(SECRET.toString()), 1000), 'admitted by secret');
});

t.test('who guesses has to wait, longer and longer, and then is looked at again', async (t) => {
  const server = policy({ secret: SECRET });
  let now = 0;
  for (let guess = 0; guess < 5; guess += 1)
    t.equal(outcome(server, STRANGER, message(`a${guess}`), now), 'wrong-secret');
  for (let wait = 1_000; wait <= 16_000; wait *= 2) {
    t.equal(outcome(server, STRANGER, message(SECRET.toString()), now + wait - 1), 'too-many-guesses');
    now += wait;
    t.equal(outcome(server, STRANGER, message(`b${wait}`), now), 'wrong-secret', `after ${wait} ms`);
  }
  t.equal(
    outcome(server, STRANGER, message(SECRET.toString()), now + 5 * 60_000),
    'admitted by secret',
    'never longer',
  );
});

t.test('all strangers together guess at a bounded rate, and who is on the whitelist does not suffer', async (t) => {
  const server = policy({ secret: SECRET });
  let looked = 0;
  for (let guess = 0; guess < 2_000; guess += 1) {
    if (outcome(server, newKeyLike(guess), message(`g${guess}`), guess) === 'wrong-secret') looked += 1;
  }
  t.ok(looked <= 200 + 2 * 20 + 1, `${looked} of 2000 within two seconds`);
  t.equal(outcome(server, STRANGER, message(SECRET.toString()), 12_000), 'admitted by secret', 'the flood is over');
  const listing = policy({ secret: SECRET, whitelist: [LISTED] });
  for (let guess = 0; guess < 2_000; guess += 1) outcome(listing, newKeyLike(guess), message(`g${guess}`), guess);
  t.equal(outcome(listing, LISTED, message(SECRET.toString()), 2_000), 'admitted by secret and whitelist');
});

/** A key that nobody needs to have computed. */
function newKeyLike(seed: number): PublicKey {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(seed);
  return new PublicKey(bytes);
}

t.test('a request says the secret and a zero byte, or what upstream says without one', async (t) => {
  t.same(friendRequestMessage(SECRET), Buffer.from('correct horse\0'));
  t.same(friendRequestMessage(undefined), Buffer.from('Hi, fell'));
});

t.test('nothing shows the secret', async (t) => {
  const server = policy({ secret: SECRET });
  t.notMatch(inspect(server, { depth: 10, showHidden: true }), /correct|6f 72 72 65 63 74/);
  t.notMatch(JSON.stringify(server), /correct/);
});
