import t from 'tap';
import { LostNumbers } from '../../../../src/tox/net-crypto/stream/lost-numbers.js';

const isAny = (): boolean => true;
const isNone = (): boolean => false;

t.test('numbers come in the order of their reports, and those that are no longer lost are skipped', async (t) => {
  const numbers = new LostNumbers();
  for (const number of [7, 3, 9]) numbers.add(number);
  const isLater = (number: number): boolean => number !== 7;
  t.equal(numbers.first(isAny), 7);
  t.equal(numbers.first(isLater), 3);
  t.equal(numbers.first(isNone), undefined);
});

t.test('numbers that are reported repeatedly behind another one take bounded memory', async (t) => {
  const numbers = new LostNumbers();
  numbers.add(1000);
  for (let count = 0; count < 200_000; count += 1) numbers.add(count % 64);
  const isLater = (number: number): boolean => number !== 1000;
  t.ok(numbers.length <= 65_536, `${numbers.length}`);
  t.equal(numbers.first(isAny), 1000);
  t.equal(numbers.first(isLater), 0);
});
