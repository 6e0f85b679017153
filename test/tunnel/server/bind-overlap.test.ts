import t from 'tap';
import { mayOverlap } from '../../../src/tunnel/server/bind-overlap.js';

t.test('an address overlaps with itself, with its name, and with all addresses', async (t) => {
  for (const other of ['127.0.0.1', 'localhost', '0.0.0.0', '::', undefined]) {
    t.ok(mayOverlap('127.0.0.1', other), `${other}`);
    t.ok(mayOverlap(other, '127.0.0.1'), `${other}`);
  }
  t.ok(mayOverlap('0.0.0.0', '::'));
});

t.test('it does not overlap with another address', async (t) => {
  for (const other of ['127.0.0.1', '0.0.0.0', '::2', '192.0.2.1']) {
    t.notOk(mayOverlap('::1', other), other);
    t.notOk(mayOverlap(other, '::1'), other);
  }
  t.notOk(mayOverlap('localhost', '127.0.0.2'));
});

t.test('a name may overlap with everything', async (t) => {
  t.ok(mayOverlap('printer', '127.0.0.1'));
  t.ok(mayOverlap('printer', 'scanner'));
});
