import t from 'tap';
import { advanceNonce, nonceAfter } from '../../../src/tox/crypto/nonce.js';
import { SeededRandom } from '../../support/seeded-random.js';

const nonce = (tail: string): Buffer => Buffer.from(tail.padStart(48, '0'), 'hex');
const after = (start: Buffer, by?: number): string => nonceAfter(start, by).toString('hex').replace(/^0+/, '');

t.test('a nonce counts big-endian, as in the test cases of c-toxcore and tox-rs', async (t) => {
  t.equal(after(nonce('')), '1');
  t.equal(after(nonce('ff')), '100');
  t.equal(after(nonce(''), 0x1f5), '1f5');
  t.equal(after(nonce('1f5'), 0x1f5), '3ea');
  t.equal(after(nonce('3ea'), 0x12345678), '12345a62');
  t.equal(after(nonce('ffffffff'), 0xffffffff), '1fffffffe');
  t.equal(after(nonce('5'), 0), '5');
});

t.test('a nonce carries through all 24 bytes and wraps', async (t) => {
  t.equal(nonceAfter(Buffer.alloc(24, 0xff)).toString('hex'), '00'.repeat(24));
  t.equal(nonceAfter(Buffer.alloc(24, 0xff), 3).toString('hex'), nonce('02').toString('hex'));
  t.equal(after(Buffer.concat([Buffer.from([1]), Buffer.alloc(23, 0xff)])), `2${'00'.repeat(23)}`);
});

t.test('advanceNonce changes the nonce, and nonceAfter does not', async (t) => {
  const start = nonce('ff');
  const next = nonceAfter(start);
  t.equal(start.toString('hex'), nonce('ff').toString('hex'));
  advanceNonce(start);
  t.ok(start.equals(next));
});

t.test('advancing a nonce is addition, for random numbers', async (t) => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 2000; round += 1) {
    const start = random.bytes(24);
    if (round % 2 === 0) start.fill(0xff, 24 - random.below(24));
    const by = random.uint32();
    const sum = (BigInt(`0x${start.toString('hex')}`) + BigInt(by)) % (1n << 192n);
    const expected = sum.toString(16).padStart(48, '0');
    if (nonceAfter(start, by).toString('hex') !== expected) t.fail(`${start.toString('hex')} + ${by}`);
  }
  t.pass();
});
