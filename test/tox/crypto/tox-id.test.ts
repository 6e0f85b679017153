import t from 'tap';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { ToxId } from '../../../src/tox/crypto/tox-id.js';
import { SeededRandom } from '../../support/seeded-random.js';

/** A published ID (docs/tox-protocol.md 1.2). */
const TEXT = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

t.test('a Tox ID is read in either case and written in upper case', async (t) => {
  for (const text of [TEXT, TEXT.toLowerCase()]) {
    const id = ToxId.parse(text);
    if (!(id instanceof ToxId)) throw new Error(id);
    t.equal(id.publicKey.hex, TEXT.slice(0, 64));
    t.equal(id.nospam.toString('hex').toUpperCase(), TEXT.slice(64, 72));
    t.equal(id.toString(), TEXT);
    t.equal(id.toBytes().length, 38);
  }
});

t.test('the checksum of a published ID is correct', async (t) => {
  const id = new ToxId(PublicKey.parse(TEXT.slice(0, 64)) as PublicKey, Buffer.from(TEXT.slice(64, 72), 'hex'));
  t.equal(id.toString().slice(72), TEXT.slice(72));
});

t.test('an invalid text gives the reason', async (t) => {
  t.equal(ToxId.parse(''), 'length');
  t.equal(ToxId.parse(TEXT.slice(1)), 'length');
  t.equal(ToxId.parse(`${TEXT}\n`), 'length');
  t.equal(ToxId.parse(TEXT.replace('E', 'G')), 'digits');
  t.equal(ToxId.parse(TEXT.replace(/.$/, '8')), 'checksum');
  const invalid = new ToxId(new PublicKey(Buffer.alloc(32, 0xff)), Buffer.alloc(4));
  t.equal(ToxId.parse(invalid.toString()), 'key');
});

t.test('any single wrong digit is detected', async (t) => {
  for (let at = 0; at < TEXT.length; at += 1) {
    const digit = ((Number.parseInt(TEXT[at] as string, 16) + 1) % 16).toString(16);
    if (ToxId.parse(TEXT.slice(0, at) + digit + TEXT.slice(at + 1)) !== 'checksum') t.fail(`digit ${at}`);
  }
  t.pass();
});

t.test('every Tox ID is decoded from its text', async (t) => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 200; round += 1) {
    const key = random.bytes(32);
    key[31] = (key[31] as number) & 0x7f;
    const id = new ToxId(new PublicKey(key), random.bytes(4));
    const again = ToxId.parse(id.toString());
    if (!(again instanceof ToxId) || !again.toBytes().equals(id.toBytes())) t.fail(id.toString());
  }
  t.throws(() => new ToxId(new PublicKey(Buffer.alloc(32)), Buffer.alloc(5)), RangeError);
});
