import t from 'tap';
import { ADDRESS_CLASSES, isOfClass } from '../../src/base/address-class.js';

const classesOf = (address: string): string[] => ADDRESS_CLASSES.filter((name) => isOfClass(address, name));

t.test('an address is in the class of its destination', async (t) => {
  const rows: Readonly<Record<string, readonly string[]>> = {
    public: [
      '1.1.1.1',
      '8.8.8.8',
      '172.32.0.1',
      '192.169.0.1',
      '100.128.0.1',
      '2606:4700::1111',
      '64:ff9b::808:808',
      '2002:808:808::1',
    ],
    private: [
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '100.64.0.1',
      'fd00::1',
      'fec0::1',
      '64:ff9b::a00:1',
      '::ffff:0:10.0.0.1',
      '2002:c0a8:1::1',
    ],
    loopback: [
      '127.0.0.1',
      '127.255.255.255',
      '0.0.0.0',
      '0.1.2.3',
      '::1',
      '::',
      '::1%lo',
      '::ffff:127.0.0.1',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
    ],
    'link-local': [
      '169.254.169.254',
      '169.254.0.1',
      'fe80::1%eth0',
      'febf::1',
      '168.63.129.16',
      '192.0.0.192',
      '::ffff:a9fe:a9fe',
    ],
    multicast: ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1'],
  };
  for (const [name, addresses] of Object.entries(rows))
    for (const address of addresses) t.same(classesOf(address), [name], address);
});

t.test('a metadata service in a private network is in both classes', async (t) => {
  for (const address of ['fd00:ec2::254', '100.100.100.200'])
    t.same(classesOf(address), ['private', 'link-local'], address);
});

t.test('a reserved or documentation address, and a text that is no address, are in no class', async (t) => {
  for (const address of [
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '198.18.0.1',
    '240.0.0.1',
    '2001:db8::1',
    '4000::1',
    'localhost',
    '',
  ])
    t.same(classesOf(address), [], address);
});
