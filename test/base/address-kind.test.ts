import t from 'tap';
import { type AddressKind, addressKind } from '../../src/base/address-kind.js';
import { Endpoint } from '../../src/base/endpoint.js';
import { SeededRandom } from '../support/seeded-random.js';

const KINDS: Readonly<Record<AddressKind, readonly string[]>> = {
  public: [
    ...['1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0'],
    ...['169.253.255.255', '172.15.255.255', '172.32.0.0', '192.0.1.0', '192.167.0.1', '198.17.0.1', '198.20.0.0'],
    ...['198.51.101.1', '203.0.112.1', '223.255.255.255'],
    ...['2000::1', '2001:200::1', '2a00:1450::1', '2001:db9::1', '2003::1', '3fff:1000::1', '2002:101:101::1'],
    '64:ff9b::808:808',
  ],
  local: [
    ...['10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255'],
    ...['192.168.255.255', '::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'fec0::1', '::127.0.0.1', '64:ff9b::10.0.0.1'],
    ...['64:ff9b:1::808:808', '2002:7f00:1::1', '2002:a00:1::1'],
  ],
  documentation: ['192.0.2.1', '198.51.100.7', '203.0.113.9', '2001:db8::1', '3fff::1', '64:ff9b::203.0.113.1'],
  benchmark: ['198.18.0.1', '198.19.255.255', '2001:2::1'],
  reserved: [
    ...['0.0.0.0', '0.1.2.3', '192.0.0.8', '192.88.99.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['::', '100::1', '200::1', '2001::1', '2001:20::1', '4000::1', '5f00::1', 'ff02::1', '::ffff:0:7f00:1'],
  ],
};

t.test('an address has the kind of the registries', async (t) => {
  for (const [kind, addresses] of Object.entries(KINDS)) {
    for (const address of addresses) t.equal(Endpoint.of(address, 1)?.kind, kind, address);
  }
});

t.test('IPv4 mapped into IPv6 has the kind of the IPv4 address', async (t) => {
  const random = new SeededRandom(1);
  const prefix = Buffer.from('00000000000000000000ffff', 'hex');
  for (let round = 0; round < 5000; round += 1) {
    const bytes = random.bytes(4);
    if (addressKind(Buffer.concat([prefix, bytes])) !== addressKind(bytes)) t.fail(bytes.join('.'));
  }
});

t.test(
  'strangers may have us send to public addresses, neighbours anywhere, special networks within themselves',
  async (t) => {
    const cases: readonly (readonly [from: string, to: string, expected: boolean])[] = [
      ['1.1.1.1', '8.8.8.8', true],
      ['2a00::1', '8.8.8.8', true],
      ['1.1.1.1', '192.168.1.1', false],
      ['1.1.1.1', '203.0.113.1', true],
      ['1.1.1.1', '198.18.0.1', false],
      ['203.0.113.1', '198.18.0.1', true],
      ['203.0.113.1', '2001:db8::1', true],
      ['203.0.113.1', '10.0.0.1', false],
      ['203.0.113.1', '8.8.8.8', true],
      ['198.18.0.1', '198.19.0.1', true],
      ['10.0.0.1', '203.0.113.1', true],
      ['192.168.1.5', '192.168.1.7', true],
      ['127.0.0.1', '127.0.0.1', true],
      ['fd00::1', 'fd00::2', true],
      ['200::1', '201::1', true],
      ['10.0.0.1', '255.255.255.255', false],
      ['200::1', '::', false],
      ['200::1', 'ff02::1', false],
    ];
    for (const [from, to, expected] of cases) {
      const [source, next] = [Endpoint.of(from, 1), Endpoint.of(to, 1)] as [Endpoint, Endpoint];
      t.equal(source.maySendTo(next), expected, `${from} to ${to}`);
    }
  },
);
