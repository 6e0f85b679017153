import t from 'tap';
import { commonBits, compareDistance } from '../../../src/tox/crypto/distance.js';
import { keyOf } from '../../support/nodes.js';

t.test('the nearer key is the one whose XOR with the target is smaller, the first byte counting most', async (t) => {
  t.ok(compareDistance(keyOf('00'), keyOf('01'), keyOf('02')) < 0);
  t.ok(compareDistance(keyOf('0f'), keyOf('08'), keyOf('07')) < 0, 'not the smaller number');
  t.ok(compareDistance(keyOf('00'), keyOf('0100'), keyOf('00ff')) > 0);
  t.ok(compareDistance(keyOf('00'), keyOf('80'), keyOf('7f')) > 0, 'bytes have no sign');
  const late = (digits: string) => keyOf(`0102030405060708${digits}`);
  t.ok(compareDistance(late('0f'), late('08'), late('07')) < 0, 'late digits count as well');
  t.ok(compareDistance(late('00'), late('80'), late('7f')) > 0);
  t.equal(compareDistance(keyOf('12'), keyOf('34'), keyOf('34')), 0);
});

t.test('common bits are counted from the most significant one', async (t) => {
  t.equal(commonBits(keyOf('00'), keyOf('80')), 0);
  t.equal(commonBits(keyOf('00'), keyOf('40')), 1);
  t.equal(commonBits(keyOf('00'), keyOf('01')), 7);
  t.equal(commonBits(keyOf('00'), keyOf('0080')), 8);
  t.equal(commonBits(keyOf('ab'), keyOf(`ab${'0'.repeat(61)}1`)), 255);
  t.equal(commonBits(keyOf('ab'), keyOf('ab')), 256);
});
