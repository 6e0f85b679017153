import { format, inspect } from 'node:util';
import t from 'tap';
import { equalsInConstantTime, generateKeyPair, SecretKey } from '../../../src/tox/crypto/key-pair.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { SeededRandom } from '../../support/seeded-random.js';

const bytes = Buffer.from('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a', 'hex');

t.test('a secret key has the public key of NaCl', async (t) => {
  t.equal(new SecretKey(bytes).publicKey().hex, '8520F0098930A754748B7DDCB43EF75A0DBF3A0D26381AF4EBA4A98EAA9B4E6A');
});

t.test('a secret key is never printed', async (t) => {
  const key = new SecretKey(bytes);
  const shown = [
    JSON.stringify({ key }),
    inspect(key),
    inspect({ deep: { deeper: { key } } }, { depth: 10, showHidden: true }),
    format('%s %o %O %j', key, key, key, key),
    `${key}`,
    String(key),
    [key].join(),
    new Error(`failed with ${key}`).message,
  ];
  for (const text of shown) {
    t.match(text, '[secret key]');
    t.notMatch(text, /77076d0a|77 07 6d|119, ?7, ?109|dwdtCn/i);
  }
});

t.test('keys copy their bytes', async (t) => {
  const source = Buffer.from(bytes);
  const secretKey = new SecretKey(source);
  const publicKey = new PublicKey(source);
  source.fill(0);
  t.ok(secretKey.bytes.equals(bytes));
  t.ok(publicKey.bytes.equals(bytes));
  t.equal(secretKey.bytes.buffer.byteLength, 32, 'not a slice of a pool');
  secretKey.wipe();
  t.ok(secretKey.bytes.equals(Buffer.alloc(32)));
});

t.test('a key of another length throws', async (t) => {
  for (const length of [0, 31, 33]) {
    t.throws(() => new PublicKey(Buffer.alloc(length)), RangeError);
    t.throws(() => new SecretKey(Buffer.alloc(length)), RangeError);
  }
});

t.test('a public key is read from 64 hex digits of either case, and shown in upper case', async (t) => {
  const text = bytes.toString('hex');
  const key = PublicKey.parse(text) as PublicKey;
  t.equal(key.hex, text.toUpperCase());
  t.equal(`${key}`, key.hex);
  t.equal(inspect(key), key.hex);
  t.equal(key.short, '77076D0A');
  t.ok(key.equals(PublicKey.parse(text.toUpperCase()) as PublicKey));
  for (const wrong of ['', text.slice(1), `${text}0`, text.replace('7', 'g'), ` ${text}`, `${text}\n`]) {
    t.equal(PublicKey.parse(wrong), undefined);
  }
});

t.test('a public key is valid while its top bit is clear', async (t) => {
  const withLast = (last: number): PublicKey => new PublicKey(Buffer.alloc(32, 1).fill(last, 31));
  t.ok(withLast(0x7f).isValid);
  t.notOk(withLast(0x80).isValid);
});

t.test('generated keys belong together, are valid, and come from the Random given', async (t) => {
  const pair = generateKeyPair(new SeededRandom(1));
  t.ok(pair.secretKey.publicKey().equals(pair.publicKey));
  t.ok(pair.publicKey.isValid);
  t.ok(pair.publicKey.equals(generateKeyPair(new SeededRandom(1)).publicKey));
  t.notOk(pair.publicKey.equals(generateKeyPair(new SeededRandom(2)).publicKey));
});

t.test('buffers are compared in constant time, and different lengths without throwing', async (t) => {
  t.ok(equalsInConstantTime(Buffer.from('abc'), Buffer.from('abc')));
  t.notOk(equalsInConstantTime(Buffer.from('abc'), Buffer.from('abd')));
  t.notOk(equalsInConstantTime(Buffer.from('abc'), Buffer.from('ab')));
  t.ok(equalsInConstantTime(Buffer.alloc(0), Buffer.alloc(0)));
});
