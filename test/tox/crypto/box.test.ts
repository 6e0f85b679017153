import t from 'tap';
import { authenticate, open, openInto, seal, sealInto, sha512, sharedKey } from '../../../src/tox/crypto/box.js';
import { hsalsa20 } from '../../../src/tox/crypto/hsalsa20.js';
import { generateKeyPair, SecretKey } from '../../../src/tox/crypto/key-pair.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { mutations } from '../../support/fuzz.js';
import { SeededRandom } from '../../support/seeded-random.js';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

// NaCl's own test vectors ("Cryptography in NaCl", chapters 3 to 10), which c-toxcore's auto_tests/crypto_test.c uses too.
const ALICE_SECRET = new SecretKey(hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'));
const ALICE_PUBLIC = new PublicKey(hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'));
const BOB_SECRET = new SecretKey(hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'));
const BOB_PUBLIC = new PublicKey(hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'));
const PRODUCT = hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742');
const SHARED = hex('1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389');
const NONCE = hex('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37');
const PLAIN = hex(`
  be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f4
  1db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52
  f0a089bc76897040e082f937763848645e0705`);
const SEALED = hex(`
  f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b
  4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da
  99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5`);

/** Points whose product with any key is zero, and similar ones that libsodium refuses, too. */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((text) => new PublicKey(hex(text)));

t.test('HSalsa20 derives the key of a box from the product, as in NaCl', async (t) => {
  t.equal(hsalsa20(PRODUCT).toString('hex'), SHARED.toString('hex'));
});

t.test('both sides compute the shared key of NaCl', async (t) => {
  t.equal(sharedKey(BOB_PUBLIC, ALICE_SECRET).toString('hex'), SHARED.toString('hex'));
  t.equal(sharedKey(ALICE_PUBLIC, BOB_SECRET).toString('hex'), SHARED.toString('hex'));
});

t.test('the 131 bytes of NaCl are sealed and opened', async (t) => {
  t.equal(PLAIN.length, 131);
  t.equal(seal(SHARED, NONCE, PLAIN).toString('hex'), SEALED.toString('hex'));
  t.equal(open(SHARED, NONCE, SEALED)?.toString('hex'), PLAIN.toString('hex'));
});

t.test('a packet is sealed and opened in place', async (t) => {
  const sealed = Buffer.alloc(PLAIN.length + 16);
  sealInto(sealed, SHARED, NONCE, PLAIN);
  t.ok(sealed.equals(SEALED));
  const plain = Buffer.alloc(PLAIN.length);
  t.ok(openInto(plain, SHARED, NONCE, SEALED));
  t.ok(plain.equals(PLAIN));
  t.notOk(openInto(plain, SHARED, NONCE, Buffer.alloc(SEALED.length)));
});

t.test('a box that is forged, damaged or empty does not open', async (t) => {
  for (const bytes of mutations(1, [SEALED], 2000)) {
    if (!bytes.equals(SEALED) && open(SHARED, NONCE, bytes) !== undefined) t.fail(`opened ${bytes.toString('hex')}`);
  }
  for (let length = 0; length < SEALED.length; length += 1) {
    if (open(SHARED, NONCE, SEALED.subarray(0, length)) !== undefined) t.fail(`opened ${length} bytes`);
  }
  t.equal(open(Buffer.alloc(32), NONCE, SEALED), undefined, 'with another key');
  t.equal(open(SHARED, Buffer.alloc(24), SEALED), undefined, 'with another nonce');
});

t.test('sealing an empty plain text throws', async (t) => {
  t.throws(() => seal(SHARED, NONCE, Buffer.alloc(0)), RangeError);
});

t.test('a public key of small order gives a key that the sender cannot know', async (t) => {
  const random = new SeededRandom(2);
  const [ours, others] = [generateKeyPair(random), generateKeyPair(random)];
  const foreseen = hsalsa20(Buffer.alloc(32));
  for (const point of SMALL_ORDER) {
    const key = sharedKey(point, ours.secretKey);
    t.equal(key.length, 32);
    t.notOk(key.equals(foreseen), 'the product would be zero for everybody');
    t.notOk(key.equals(sharedKey(point, others.secretKey)), 'it depends on our secret');
    t.equal(open(key, NONCE, seal(foreseen, NONCE, PLAIN)), undefined);
  }
});

t.test("a refused point leaves the caller's secret key intact", async (t) => {
  const { secretKey, publicKey } = generateKeyPair(new SeededRandom(3));
  sharedKey(SMALL_ORDER[0] as PublicKey, secretKey);
  t.ok(secretKey.publicKey().equals(publicKey));
});

t.test('SHA-512 is that of FIPS 180', async (t) => {
  t.equal(
    sha512(Buffer.from('abc')).toString('hex'),
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  );
});

t.test('the authenticator is the first half of the HMAC-SHA-512 of RFC 4231, case 2', async (t) => {
  const key = Buffer.alloc(32);
  key.write('Jefe');
  t.equal(
    authenticate(key, Buffer.from('what do ya want for nothing?')).toString('hex'),
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554',
  );
});
