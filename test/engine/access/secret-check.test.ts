import t from 'tap';
import { StoredSecretCheck } from '../../../src/engine/access/secret-check.js';
import { SlowChecks } from '../../../src/engine/access/slow-checks.js';
import { hashSecret, NO_SECRET, type SecretState } from '../../../src/engine/access/stored-secret.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(9);
const SECRET = Buffer.from('correct horse');
const BEFORE = Buffer.from('the one before');
const WRONG = Buffer.from('wrong');

function checker(state: Partial<SecretState>, unixTime = 0): StoredSecretCheck {
  const kept = { ...NO_SECRET, ...state };
  const deps = { random, slowChecks: new SlowChecks(), state: () => kept, unixTime: () => unixTime };
  return new StoredSecretCheck(deps);
}

t.test('a chosen secret needs the slow hash until it was right once', async (t) => {
  const check = checker({ current: await hashSecret(random, SECRET, false) });
  t.equal(check.compare(SECRET), 'unknown');
  t.equal(await check.compareSlowly(WRONG, false), 'checked');
  t.equal(check.compare(WRONG), 'unknown');
  t.equal(await check.compareSlowly(SECRET, false), 'checked');
  t.equal(check.compare(SECRET), 'right');
  t.equal(check.compare(WRONG), 'wrong', 'and every other is wrong from then on');
});

t.test('a generated secret needs only a quick hash', async (t) => {
  const check = checker({ current: await hashSecret(random, SECRET, true) });
  t.equal(check.compare(SECRET), 'right');
  t.equal(check.compare(WRONG), 'wrong');
});

t.test('the previous secret is told from the present one while it is valid', async (t) => {
  const current = await hashSecret(random, SECRET, true);
  const old = { hash: await hashSecret(random, BEFORE, false), validUntil: 100 };
  const check = checker({ current, old }, 99);
  t.equal(check.compare(SECRET), 'right');
  t.equal(check.compare(BEFORE), 'unknown');
  await check.compareSlowly(BEFORE, false);
  t.equal(check.compare(BEFORE), 'right-before');
  t.equal(checker({ current, old }, 100).compare(BEFORE), 'wrong');
});

t.test('a secret with zero bytes behind it is wrong, though scrypt takes both for the same', async (t) => {
  const check = checker({ current: await hashSecret(random, SECRET, false) });
  await check.compareSlowly(Buffer.concat([SECRET, Buffer.alloc(1)]), false);
  t.equal(check.compare(Buffer.concat([SECRET, Buffer.alloc(1)])), 'wrong');
});
