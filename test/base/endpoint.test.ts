import t from 'tap';
import { Endpoint, hostAndPort } from '../../src/base/endpoint.js';
import { SeededRandom } from '../support/seeded-random.js';

const keyOf = (address: string, port = 1): string | undefined => Endpoint.of(address, port)?.key;

t.test('loopback addresses are recognized', async (t) => {
  const cases = {
    '127.0.0.1': true,
    '127.9.9.9': true,
    '::1': true,
    '10.0.0.1': false,
    '::': false,
    '128.0.0.1': false,
  };
  for (const [address, expected] of Object.entries(cases))
    t.equal(Endpoint.of(address, 1)?.isLoopback, expected, address);
});

t.test('any spelling of an address becomes the canonical one', async (t) => {
  const spellings: readonly (readonly [string, string])[] = [
    ['192.0.2.1', '192.0.2.1:1'],
    ['::1', '[::1]:1'],
    ['0:0:0:0:0:0:0:0', '[::]:1'],
    ['2001:DB8:0:0::0:1', '[2001:db8::1]:1'],
    ['2001:0db8::0001', '[2001:db8::1]:1'],
    ['1:0:0:2:0:0:0:3', '[1:0:0:2::3]:1'],
    ['1:2:3:4:5:6:7:8', '[1:2:3:4:5:6:7:8]:1'],
    ['64:ff9b::192.0.2.1', '[64:ff9b::c000:201]:1'],
  ];
  for (const [spelling, key] of spellings) t.equal(keyOf(spelling), key, spelling);
});

t.test('IPv4 mapped into IPv6 becomes IPv4, in both spellings; what only looks like it does not', async (t) => {
  t.equal(keyOf('::ffff:192.0.2.1'), '192.0.2.1:1');
  t.equal(keyOf('::FFFF:c000:0201'), '192.0.2.1:1');
  t.equal(keyOf('::ffff:0:c000:201'), '[::ffff:0:c000:201]:1');
  t.equal(Endpoint.of('::192.0.2.1', 1)?.family, 6);
});

t.test('a link-local address keeps its scope, which its bytes do not have', async (t) => {
  const scoped = Endpoint.of('FE80:0::1%eth0', 33445) as Endpoint;
  t.equal(scoped.key, '[fe80::1%eth0]:33445');
  t.equal(scoped.address, 'fe80::1%eth0');
  t.equal(scoped.toBytes().toString('hex'), 'fe800000000000000000000000000001');
  t.notOk(scoped.equals(Endpoint.of('fe80::1%eth1', 33445) as Endpoint));
  t.ok(scoped.isLan);
});

t.test('an invalid address or port is undefined', async (t) => {
  for (const address of [
    '',
    'localhost',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    ':::',
    '1:2',
    'fe80::1%',
    '[::1]',
    ' ::1',
  ]) {
    t.equal(keyOf(address), undefined, address);
  }
  for (const port of [-1, 65536, 1.5, Number.NaN]) t.equal(keyOf('::1', port), undefined, String(port));
  t.equal(keyOf('::1', 0), '[::1]:0');
  t.equal(keyOf('::1', 65535), '[::1]:65535');
});

t.test('bytes and text mean the same address, in every form', async (t) => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 2000; round += 1) {
    const bytes = random.bytes(round % 2 === 0 ? 4 : 16);
    // Runs of zeros are what text shortens.
    for (let left = random.below(12); left > 0; left -= 1) bytes[random.below(bytes.length)] = 0;
    const endpoint = Endpoint.ofBytes(bytes, 7);
    const again = Endpoint.of(endpoint.address, 7);
    if (again?.key !== endpoint.key) t.fail(`${bytes.toString('hex')} -> ${endpoint.key} -> ${again?.key}`);
    if (endpoint.family === 6 && !endpoint.toBytes().equals(bytes))
      t.fail(`${bytes.toString('hex')} -> ${endpoint.key}`);
    if (endpoint.family === 4 && !bytes.subarray(-4).equals(endpoint.toBytes())) t.fail(endpoint.key);
  }
  t.equal(Endpoint.ofBytes(Buffer.from('00000000000000000000ffffc0000201', 'hex'), 1).key, '192.0.2.1:1');
  t.throws(() => Endpoint.ofBytes(Buffer.alloc(5), 1), RangeError);
});

t.test('the address of a socket is used as it is, except for mapped IPv4', async (t) => {
  t.equal(Endpoint.ofSource('192.0.2.1', 9).key, '192.0.2.1:9');
  t.equal(Endpoint.ofSource('::ffff:192.0.2.1', 9).key, '192.0.2.1:9');
  t.equal(Endpoint.ofSource('2001:db8::1', 9).key, keyOf('2001:db8::1', 9));
  t.equal(Endpoint.ofSource('fe80::1%eth0', 9).key, '[fe80::1%eth0]:9');
});

t.test('endpoints are equal by address and port', async (t) => {
  const endpoint = Endpoint.of('::1', 1) as Endpoint;
  t.ok(endpoint.equals(Endpoint.of('0::1', 1) as Endpoint));
  t.notOk(endpoint.equals(Endpoint.of('::1', 2) as Endpoint));
  t.equal(`${endpoint}`, '[::1]:1');
});

t.test('local networks are those of c-toxcore', async (t) => {
  const local = [
    ...['127.0.0.1', '127.255.255.255', '10.0.0.0', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
    ...['192.168.255.255', '169.254.1.0', '169.254.254.255', '100.64.0.0', '100.127.255.255', '::ffff:10.0.0.1'],
    ...['::1', 'fe80::1', 'febf:ffff::1', 'ff00::1', 'ff01::1', 'ff02::1', 'fe80::1%eth0'],
  ];
  const remote = [
    ...['126.255.255.255', '128.0.0.1', '9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0', '192.167.1.1'],
    ...['192.169.1.1', '169.254.0.255', '169.254.255.0', '100.63.255.255', '100.128.0.0', '8.8.8.8', '0.0.0.0'],
    ...[
      '::',
      '::2',
      'fec0::1',
      'fe7f::1',
      'ff03::1',
      'ff02::2',
      'fd00::1',
      '2001:db8::1',
      '::ffff:8.8.8.8',
      '::127.0.0.1',
    ],
  ];
  for (const address of local) t.equal(Endpoint.of(address, 1)?.isLan, true, address);
  for (const address of remote) t.equal(Endpoint.of(address, 1)?.isLan, false, address);
});

t.test('a host and a port are one text, with brackets around an IPv6 address', async (t) => {
  t.same(
    ['127.0.0.1', 'nas.local', '::1'].map((host) => hostAndPort({ host, port: 22 })),
    ['127.0.0.1:22', 'nas.local:22', '[::1]:22'],
  );
});
