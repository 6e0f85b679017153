import t from 'tap';
import { canonicalHost, literalAddress, unixPathOf } from '../../../src/tunnel/wire/target.js';

t.test('every spelling of an address that the system takes is read as that address', async (t) => {
  for (const [spelling, address] of [
    ['127.0.0.1', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0x7f000001', '127.0.0.1'],
    ['0X7F.1', '127.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['0', '0.0.0.0'],
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['[::]', '::'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:7f00:1', '127.0.0.1'],
    ['::1%lo', '::1%lo'],
    ['2001:DB8::0:1', '2001:db8::1'],
  ] as const) {
    t.equal(literalAddress(spelling), address, spelling);
    t.equal(canonicalHost(spelling), address, spelling);
  }
});

t.test('a name that looks like an address is not an address', async (t) => {
  for (const name of ['localhost', 'nas', 'abc', '1.2.3.4.5', '256.1', '08', '127.0.0.1.example', '127%2e1', 'x', '..'])
    t.equal(literalAddress(name), undefined, name);
});

t.test('the path of a Unix socket is taken as it is, and only with port 0', async (t) => {
  t.equal(canonicalHost('/run/X.sock.'), '/run/X.sock.');
  t.equal(unixPathOf({ host: '/run/X.sock', port: 0 }), '/run/X.sock');
  for (const target of [
    { host: '/run/x', port: 1 },
    { host: '/run/x', port: 0, protocol: 'udp' },
    { host: 'run/x', port: 0 },
    { host: `/${'x'.repeat(107)}`, port: 0 },
  ] as const)
    t.equal(unixPathOf(target), undefined, JSON.stringify(target));
});
