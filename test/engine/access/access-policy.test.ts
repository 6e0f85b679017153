import { inspect } from 'node:util';
import t from 'tap';
import { FixedFactors } from '../../../src/engine/access/access-factors.js';
import { AccessPolicy, friendRequestMessage } from '../../../src/engine/access/access-policy.js';
import type { SecretCheck } from '../../../src/engine/access/secret-check.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
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
function outcome(of: AccessPolicy, publicKey: PublicKey, message: Buffer, now = 0): string {
  let said = 'later';
  of.decide({ publicKey, message }, now, (decision) => {
    said = decision.isAdmitted ? `admitted by ${decision.factors}` : decision.reason;
  });
  return said;
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
    [Buffer.from('Hi, fell'), 'no-secret'],
    [Buffer.concat([SECRET, Buffer.from('!')]), 'wrong-secret'],
    [Buffer.alloc(0), 'no-secret'],
  ];
  for (const [text, expected] of texts)
    t.equal(outcome(server, newKey(), text), expected, JSON.stringify(text.toString()));
});

t.test('a policy knows whether it is closed or open', async (t) => {
  t.match(policy({}), { isClosed: true, isOpen: false });
  t.match(policy({ isInsecureOpen: true }), { isClosed: false, isOpen: true });
  t.match(policy({ isInsecureOpen: true, secret: SECRET }), { isClosed: false, isOpen: false });
  t.match(policy({ isInsecureOpen: true, whitelist: [LISTED] }), { isClosed: false, isOpen: false });
});

t.test('a refused client is admitted at once with the right secret', async (t) => {
  const server = policy({ secret: SECRET });
  t.equal(outcome(server, STRANGER, message('wrong')), 'wrong-secret');
  t.equal(outcome(server, STRANGER, message(SECRET.toString())), 'admitted by secret');
});

t.test('the same wrong secret again and again, as a client repeats its request, does not count', async (t) => {
  const server = policy({ secret: SECRET });
  for (let count = 0; count < 1000; count += 1) outcome(server, STRANGER, message('wrong'), count);
  t.equal(outcome(server, STRANGER, message(SECRET.toString()), 1000), 'admitted by secret');
});

t.test('a client that guesses has to wait longer each time', async (t) => {
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

t.test('a friend request of a Tox messenger, without a zero byte, is accepted', async (t) => {
  const server = policy({ secret: SECRET });
  t.equal(outcome(server, STRANGER, SECRET), 'admitted by secret');
  t.equal(outcome(server, newKey(), Buffer.from('let me in')), 'wrong-secret');
  const greeting = policy({ secret: Buffer.from('Hi, fell') });
  t.equal(outcome(greeting, newKey(), message()), 'no-secret', 'what clients say who have none is none');
  t.equal(outcome(greeting, newKey(), message('Hi, fell')), 'admitted by secret');
});

t.test('the right secret is admitted at once, however many wrong ones are sent by new keys', async (t) => {
  const server = policy({ secret: SECRET });
  for (let guess = 0; guess < 10_000; guess += 1) {
    t.equal(outcome(server, newKeyLike(guess), message(`g${guess}`), guess), 'wrong-secret');
    if (guess % 100 === 0) t.equal(outcome(server, newKey(), message(SECRET.toString()), guess), 'admitted by secret');
  }
});

t.test('each wrong secret of a key counts once, in whatever order it is sent again', async (t) => {
  const counts: number[] = [];
  const factors = new FixedFactors({ random }, { secret: SECRET, whitelist: [], isInsecureOpen: false });
  const server = new AccessPolicy(factors, (_key, count) => counts.push(count));
  for (let now = 0; now < 600_000; now += 500) {
    for (const old of ['mistyped', 'of last year', 'of last month']) outcome(server, STRANGER, message(old), now);
  }
  t.same(counts, [1, 2, 3]);
  t.equal(outcome(server, STRANGER, message(SECRET.toString()), 600_000), 'admitted by secret');
});

t.test('a key that has sent the present secret neither waits nor is banned', async (t) => {
  const counts: number[] = [];
  const factors = new FixedFactors({ random }, { secret: SECRET, whitelist: [], isInsecureOpen: false });
  const server = new AccessPolicy(factors, (_key, count) => counts.push(count));
  outcome(server, STRANGER, message(SECRET.toString()));
  for (let guess = 0; guess < 100; guess += 1) outcome(server, STRANGER, message(`old ${guess}`));
  t.same(counts, []);
  t.equal(outcome(server, STRANGER, message(SECRET.toString())), 'admitted by secret');
});

t.test('a secret that may admit two keys admits no third one, and those two again', async (t) => {
  const factors = { secret: SECRET, whitelist: [], isInsecureOpen: false, uses: 2 };
  const server = new AccessPolicy(new FixedFactors({ random }, factors));
  const [first, second, third] = [newKey(), newKey(), newKey()];
  const right = message(SECRET.toString());
  t.equal(outcome(server, first, message('wrong')), 'wrong-secret');
  for (const key of [first, second, first]) t.equal(outcome(server, key, right), 'admitted by secret');
  t.equal(outcome(server, third, right), 'used-up');
  t.equal(outcome(server, second, right), 'admitted by secret');
});

/** Only a slow check tells; each is answered by hand. */
class SlowFactors extends FixedFactors {
  readonly asked: { readonly isTrusted: boolean; tell(result: 'checked' | 'busy'): void }[] = [];
  isSecretBanned = false;
  readonly #told = new Set<string>();

  constructor(whitelist: readonly PublicKey[] = []) {
    super({ random }, { secret: SECRET, whitelist, isInsecureOpen: false });
  }

  override readonly secret: SecretCheck = {
    digest: (candidate) => candidate,
    compare: (candidate) => (this.#told.has(candidate.toString()) && candidate.equals(SECRET) ? 'right' : 'unknown'),
    compareSlowly: (candidate, isTrusted) =>
      new Promise((resolve) => {
        const tell = (result: 'checked' | 'busy'): void => {
          if (result === 'checked') this.#told.add(candidate.toString());
          resolve(result);
        };
        this.asked.push({ isTrusted, tell });
      }),
  };

  override isBanned(): boolean {
    return this.isSecretBanned;
  }
}

/** What is decided, when it is. */
function decided(of: AccessPolicy, publicKey: PublicKey, text: Buffer, now = 0): Promise<string> {
  return new Promise((resolve) => {
    of.decide({ publicKey, message: text }, now, (decision) => {
      resolve(decision.isAdmitted ? `admitted by ${decision.factors}` : decision.reason);
    });
  });
}

t.test('a request that needs a slow check is decided after it', async (t) => {
  const factors = new SlowFactors();
  const server = new AccessPolicy(factors);
  const right = decided(server, newKey(), message(SECRET.toString()));
  const wrong = decided(server, newKey(), message('wrong'));
  const late = decided(server, newKey(), message('late'));
  for (const [index, { tell }] of factors.asked.entries()) tell(index === 2 ? 'busy' : 'checked');
  t.same(await Promise.all([right, wrong, late]), ['admitted by secret', 'wrong-secret', 'too-many-guesses']);
  t.equal(outcome(server, newKey(), message(SECRET.toString())), 'admitted by secret', 'from then on at once');
});

t.test('a ban during the slow check counts', async (t) => {
  const factors = new SlowFactors();
  const right = decided(new AccessPolicy(factors), newKey(), message(SECRET.toString()));
  factors.isSecretBanned = true;
  factors.asked[0]?.tell('checked');
  t.equal(await right, 'banned');
});

t.test(
  'slow checks of strangers are at a bounded rate, and take nothing from keys that had the secret or are listed',
  async (t) => {
    const known = newKey();
    const factors = new SlowFactors();
    factors.noteProven(known);
    const server = new AccessPolicy(factors);
    for (let guess = 0; guess < 2_000; guess += 1) outcome(server, newKeyLike(guess), message(`g${guess}`), guess);
    t.ok(factors.asked.length >= 20 + 39 && factors.asked.length <= 20 + 2 * 20, `${factors.asked.length} within 2 s`);
    t.notOk(factors.asked.some(({ isTrusted }) => isTrusted));
    t.equal(outcome(server, known, message(SECRET.toString()), 2_000), 'later');
    t.match(factors.asked.at(-1), { isTrusted: true });
    for (let guess = 0; guess < 5; guess += 1) {
      outcome(server, known, message(`old ${guess}`), 10_000);
      factors.asked.at(-1)?.tell('checked');
    }
    await new Promise((resolve) => setImmediate(resolve));
    outcome(server, known, message('one more'), 10_000);
    t.match(factors.asked.at(-1), { isTrusted: false }, 'but for one that guesses');
    const listing = new SlowFactors([LISTED]);
    outcome(new AccessPolicy(listing), LISTED, message('any'));
    t.match(listing.asked, [{ isTrusted: true }]);
  },
);

/** A key that nobody needs to have computed. */
function newKeyLike(seed: number): PublicKey {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(seed);
  return new PublicKey(bytes);
}

t.test('a request has the secret and a zero byte, or the message of upstream without a secret', async (t) => {
  t.same(friendRequestMessage(SECRET), Buffer.from('correct horse\0'));
  t.same(friendRequestMessage(undefined), Buffer.from('Hi, fell'));
});

t.test('nothing shows the secret', async (t) => {
  const server = policy({ secret: SECRET });
  t.notMatch(inspect(server, { depth: 10, showHidden: true }), /correct|6f 72 72 65 63 74/);
  t.notMatch(JSON.stringify(server), /correct/);
});
