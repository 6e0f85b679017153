import t from 'tap';
import { mostCommonAddress, portsFromBottom, portsNear } from '../../../../src/tox/dht/search/port-guess.js';
import { at } from '../../../support/nodes.js';

t.test('the address that most reports agree on wins, with a port from each of them', async (t) => {
  const reports = [at('192.0.2.1', 1), at('192.0.2.2', 2), at('192.0.2.2', 3), at('192.0.2.2', 2)];
  t.same(mostCommonAddress(reports), { address: '192.0.2.2', ports: [2, 3, 2] });
  t.equal(mostCommonAddress([]), undefined);
});

// Worked out by hand from c-toxcore's punch_holes: step 0 and 1 try the first port seen, 2 and 3 the second, and so on;
// each round over all the ports goes one farther away, upwards on even steps and downwards on odd ones.
t.test('48 ports around those seen, as c-toxcore guesses them', async (t) => {
  const guesses = portsNear([1000, 2000], 0);
  t.equal(guesses.length, 48);
  t.same(guesses.slice(0, 12), [1000, 1000, 2000, 2000, 1001, 999, 2001, 1999, 1002, 998, 2002, 1998]);
});

t.test('the next 48 go on where the last ones ended', async (t) => {
  t.same(portsNear([1000, 2000], 48).slice(0, 4), [1012, 988, 2012, 1988]);
});

t.test('ports wrap around like the 16-bit numbers that they are', async (t) => {
  t.same(portsNear([65535, 0], 4).slice(0, 4), [0, 65534, 1, 65535]);
});

t.test('48 ports from 1024 upwards', async (t) => {
  t.same(portsFromBottom(0).slice(0, 2), [1024, 1025]);
  t.equal(portsFromBottom(24)[0], 1048);
  t.equal(portsFromBottom(24).length, 48);
  t.equal(portsFromBottom(70_000)[0], (1024 + 70_000) % 65_536);
});
