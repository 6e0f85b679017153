import t from 'tap';
import { nearest } from '../../src/base/nearest.js';

t.test('a name with a few typing errors is found', async (t) => {
  const names = ['whitelist', 'status', 'net', 'connections', 'config', 'Laptop'];
  t.equal(nearest('whitlist', names), 'whitelist');
  t.equal(nearest('statsu', names), 'status', 'two swapped letters are one mistake');
  t.equal(nearest('conections', names), 'connections');
  t.equal(nearest('NET', names), 'net', 'whatever the case');
  t.equal(nearest('laptpo', names), 'Laptop');
});

t.test('without a similar name the result is undefined', async (t) => {
  t.equal(nearest('xyzzy', ['whitelist', 'status']), undefined);
  t.equal(nearest('', ['whitelist']), undefined);
  t.equal(nearest('status', []), undefined);
});
