import t from 'tap';
import { generateKeyPair } from '../../../../src/tox/crypto/key-pair.js';
import { SessionCipher, type SessionOffer } from '../../../../src/tox/net-crypto/handshake/session-cipher.js';
import { SeededRandom } from '../../../support/seeded-random.js';
import { hostileInputs } from '../hostile.js';

const random = new SeededRandom(1);

function pair(aliceBase = random.bytes(24)): { alice: SessionCipher; bob: SessionCipher } {
  const half = (baseNonce: Buffer): SessionOffer => ({
    keyPair: generateKeyPair(random),
    baseNonce,
    sendNonce: Buffer.from(baseNonce),
  });
  const a = half(aliceBase);
  const b = half(random.bytes(24));
  const alice = new SessionCipher(a, { sessionKey: b.keyPair.publicKey, baseNonce: b.baseNonce });
  const bob = new SessionCipher(b, { sessionKey: a.keyPair.publicKey, baseNonce: a.baseNonce });
  return { alice, bob };
}

const data = (number: number): Buffer => Buffer.from([162, number & 0xff, (number >> 8) & 0xff]);

t.test('what one side seals the other opens, with both numbers', async (t) => {
  const { alice, bob } = pair();
  t.same(bob.open(alice.seal(7, 9, data(1))), { bufferStart: 7, packetNumber: 9, data: data(1) });
  t.same(alice.open(bob.seal(1, 2, data(3))), { bufferStart: 1, packetNumber: 2, data: data(3) });
});

t.test('a packet of 1373 bytes takes 1400', async (t) => {
  const { alice, bob } = pair();
  const packet = alice.seal(0, 0, Buffer.alloc(1373, 162));
  t.equal(packet.length, 1400);
  t.same(bob.open(packet), { bufferStart: 0, packetNumber: 0, data: Buffer.alloc(1373, 162) });
});

t.test('a packet that does not open stays unchanged', async (t) => {
  const { alice } = pair();
  const packet = pair().alice.seal(0, 0, data(0));
  const before = Buffer.from(packet);
  t.equal(alice.open(packet), undefined);
  t.same(packet, before);
});

t.test('packets open across every carry of the nonce, including its wrap', async (t) => {
  const { alice, bob } = pair(Buffer.concat([Buffer.alloc(21, 0xff), Buffer.from([0xfe, 0xff, 0xf0])]));
  for (let count = 0; count < 140_000; count += 1) {
    if (bob.open(alice.seal(0, count, data(count))) === undefined) t.fail(`packet ${count}`);
  }
});

t.test('21,845 packets lost in a row do no harm', async (t) => {
  const { alice, bob } = pair();
  for (let round = 0; round < 6; round += 1) {
    for (let lost = 0; lost < 21_845; lost += 1) alice.seal(0, 0, data(0));
    if (bob.open(alice.seal(0, round, data(round))) === undefined) t.fail(`after round ${round}`);
  }
});

t.test('a packet overtaken by 20,000 others still opens', async (t) => {
  const { alice, bob } = pair();
  for (let count = 0; count < 50_000; count += 1) bob.open(alice.seal(0, 0, data(0)));
  const late = Buffer.from(alice.seal(0, 42, data(1)));
  for (let count = 0; count < 20_000; count += 1) bob.open(alice.seal(0, 0, data(0)));
  t.match(bob.open(late), { packetNumber: 42 });
});

t.test('a packet counts as first once, late or not, and a copy never does', async (t) => {
  const { alice, bob } = pair();
  const seal = (number: number): Buffer => Buffer.from(alice.seal(0, number, data(number)));
  const [first, second] = [seal(0), seal(1)];
  const copies = [Buffer.from(first), Buffer.from(second)] as const;
  bob.open(second);
  t.ok(bob.isFirst);
  bob.open(first);
  t.ok(bob.isFirst, 'overtaken');
  for (const copy of copies) {
    bob.open(copy);
    t.notOk(bob.isFirst);
  }
});

t.test('copies are detected across every carry of the nonce, and very old packets count as copies', async (t) => {
  const { alice, bob } = pair();
  const ancient = Buffer.from(alice.seal(0, 0, data(0)));
  for (let count = 0; count < 140_000; count += 1) {
    const packet = alice.seal(0, 0, data(count));
    const copy = Buffer.from(packet);
    bob.open(packet);
    if (!bob.isFirst) t.fail(`packet ${count}`);
    if (count % 100 !== 0) continue;
    bob.open(copy);
    if (bob.isFirst) t.fail(`the copy of packet ${count}`);
    if (count !== 20_000) continue;
    t.ok(bob.open(ancient));
    t.notOk(bob.isFirst, 'too old to be remembered');
  }
});

t.test('packets of nothing but padding are reported as empty', async (t) => {
  const { alice, bob } = pair();
  t.equal(bob.open(alice.seal(0, 0, Buffer.alloc(20))), 'empty');
});

t.test('changed and random packets do not open and never throw', async (t) => {
  const { alice, bob } = pair();
  const seal = (at: number): Buffer => Buffer.from(alice.seal(0, at, Buffer.alloc(1 + at * 70, 162)));
  const samples = Array.from({ length: 20 }, (_, at) => seal(at));
  for (const packet of hostileInputs(random, samples, 500)) if (bob.open(packet) !== undefined) t.fail('opened');
  for (const packet of samples) t.ok(bob.open(packet));
});
