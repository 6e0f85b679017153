import t, { type Test } from 'tap';
import {
  AddonBox,
  type NativeBox,
  nativeBox,
  type SessionBox,
  SodiumBox,
  sessionBox,
} from '../../../src/tox/crypto/session-box.js';
import { crypto_secretbox_easy } from '../../../src/tox/crypto/sodium.js';
import { mutations } from '../../support/fuzz.js';
import { builtBox, requirementsMet } from '../../support/requirements.js';
import { SeededRandom } from '../../support/seeded-random.js';

const AT = 3;
const PLAIN_AT = AT + 16;
const random = new SeededRandom(1);
const key = random.bytes(32);

/** A packet with the plain text at its place, and what libsodium makes of it. */
function sample(
  size: number,
  nonce: Buffer,
): { readonly packet: Buffer; readonly sealed: Buffer; readonly plain: Buffer } {
  const packet = random.bytes(PLAIN_AT + size);
  const plain = Buffer.from(packet.subarray(PLAIN_AT));
  const sealed = Buffer.from(packet);
  crypto_secretbox_easy(sealed.subarray(AT), plain, nonce, key);
  return { packet, sealed, plain };
}

for (const [kind, requirements, make] of [
  ['sodium-native', [], (of = key): SessionBox => new SodiumBox(of, AT)],
  ['the addon', [builtBox()], (of = key): SessionBox => new AddonBox(of, AT, nativeBox() as NativeBox)],
] as const) {
  const test = (what: string, body: (t: Test) => void): void => {
    t.test(`${kind}: ${what}`, async (t) => {
      if (requirementsMet(t, ...requirements)) body(t);
    });
  };

  test('boxes of all sizes are those of libsodium, and open again', (t) => {
    const [sender, receiver] = [make(), make()];
    const nonce = random.bytes(24);
    for (let size = 1; size <= 1500; size += size < 200 ? 1 : 13) {
      const { packet, sealed, plain } = sample(size, nonce);
      sender.seal(packet, nonce);
      if (!packet.equals(sealed)) t.fail(`${size} bytes sealed`);
      if (!receiver.open(packet, nonce)) t.fail(`${size} bytes opened`);
      if (!packet.subarray(PLAIN_AT).equals(plain)) t.fail(`${size} bytes are others`);
    }
  });

  test('any nonce follows any other, zeros first', (t) => {
    const [sender, receiver] = [make(), make()];
    const [a, b] = [random.bytes(24), random.bytes(24)];
    const nextPrefix = Buffer.concat([a.subarray(0, 15), Buffer.from([(a[15] as number) ^ 1]), a.subarray(16)]);
    for (const nonce of [Buffer.alloc(24), a, b, a, nextPrefix, Buffer.alloc(24)]) {
      const { packet, sealed } = sample(100, nonce);
      sender.seal(packet, nonce);
      t.same(packet, sealed);
      t.ok(receiver.open(packet, nonce));
    }
  });

  test('a box that is forged, damaged or empty does not open, and stays unchanged', (t) => {
    const box = make();
    const nonce = random.bytes(24);
    const { sealed } = sample(100, nonce);
    for (const bytes of [...mutations(1, [sealed], 500), sealed.subarray(0, PLAIN_AT), Buffer.alloc(0)]) {
      if (bytes.subarray(AT).equals(sealed.subarray(AT))) continue;
      const before = Buffer.from(bytes);
      if (box.open(bytes, nonce)) t.fail(`opened ${before.toString('hex')}`);
      if (!bytes.equals(before)) t.fail(`changed ${before.toString('hex')}`);
    }
    t.notOk(box.open(Buffer.from(sealed), random.bytes(24)), 'with another nonce');
    t.notOk(make(random.bytes(32)).open(Buffer.from(sealed), nonce), 'with another key');
    t.ok(box.open(Buffer.from(sealed), nonce), 'the failures do not harm the next one');
  });

  test('the caller may overwrite its key', (t) => {
    const own = Buffer.from(key);
    const nonce = random.bytes(24);
    const box = make(own);
    own.fill(0);
    t.ok(box.open(sample(5, nonce).sealed, nonce));
  });

  test('sealing nothing throws', (t) => {
    t.throws(() => make().seal(Buffer.alloc(PLAIN_AT), Buffer.alloc(24)), RangeError);
  });

  test('a box that was wiped opens nothing', (t) => {
    const box = make();
    const nonce = random.bytes(24);
    const { sealed } = sample(100, nonce);
    t.ok(box.open(Buffer.from(sealed), nonce));
    box.wipe();
    t.notOk(box.open(Buffer.from(sealed), nonce));
  });
}

t.test('a session takes the addon where it is', async (t) => {
  t.type(sessionBox(key, AT), nativeBox() === undefined ? SodiumBox : AddonBox);
});
