import type { NetworkInterfaceInfo } from 'node:os';
import t from 'tap';
import { interfaceMtu, type MtuSources } from '../../../src/tox/network/interface-mtu.js';

const ipv4 = (address: string): NetworkInterfaceInfo => ({
  address,
  netmask: '255.255.255.0',
  mac: '02:00:00:00:00:01',
  internal: false,
  cidr: null,
  family: 'IPv4',
});
const FILES: Record<string, string> = {
  '/sys/class/net/eth0/mtu': '1500\n',
  '/sys/class/net/wg0/mtu': '1420\n',
  '/sys/class/net/odd/mtu': 'none\n',
};
const SOURCES: MtuSources = {
  interfaces: () => ({
    eth0: [ipv4('192.0.2.7')],
    'eth0:1': [ipv4('192.0.2.8')],
    wg0: [ipv4('10.1.0.1')],
    odd: [ipv4('10.2.0.1')],
    gone: [ipv4('10.3.0.1')],
  }),
  read: (path) => {
    const text = FILES[path];
    if (text === undefined) throw new Error('ENOENT');
    return text;
  },
};

t.test('the MTU is that of the interface with the address', async (t) => {
  t.equal(interfaceMtu('192.0.2.7', SOURCES), 1500);
  t.equal(interfaceMtu('192.0.2.8', SOURCES), 1500);
  t.equal(interfaceMtu('10.1.0.1', SOURCES), 1420);
});

t.test('an MTU that the system does not report is undefined', async (t) => {
  for (const address of ['203.0.113.1', '10.2.0.1', '10.3.0.1']) t.equal(interfaceMtu(address, SOURCES), undefined);
  const refusing = {
    ...SOURCES,
    interfaces: () => {
      throw new Error('EMFILE');
    },
  };
  t.equal(interfaceMtu('192.0.2.7', refusing), undefined);
});
