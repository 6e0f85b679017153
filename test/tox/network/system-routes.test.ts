import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { ipv4RoutesIn, ipv6RoutesIn, readSystemRoutes, routeTo } from '../../../src/tox/network/system-routes.js';

const IPV4 = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
vpn-home\t0000A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
vpn-home\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0
*\t0000000A\t00000000\t0201\t0\t0\t0\t000000FF\t0\t0\t0
`;
const zeros = '0'.repeat(32);
const ipv6Line = (network: string, length: string, device: string, flags = '00000001', sourceLength = '00'): string =>
  `${network.padEnd(32, '0')} ${length} ${zeros} ${sourceLength} ${zeros} 00000100 00000001 00000000 ${flags}     ${device}\n`;
const IPV6 = [
  ipv6Line('fd50', '10', 'vpn-home'),
  ipv6Line('fd5000010000', '30', 'eth0'),
  ipv6Line('fe80', '40', 'vpn-home'),
  ipv6Line('ff00', '08', 'vpn-home'),
  ipv6Line('20010db8', '20', 'lo', '00200200'),
  ipv6Line('20010db8', '20', 'vpn-home', '00000001', '40'),
].join('');
const bytes = (address: string): Buffer => Endpoint.ofSource(address, 1).toBytes();

t.test('the system takes the narrowest route, and of two equal ones that with the smaller metric', async (t) => {
  const routes = [...ipv4RoutesIn(IPV4), ...ipv6RoutesIn(IPV6)];
  const deviceTo = (address: string): string | undefined => routeTo(bytes(address), routes)?.device;
  t.equal(deviceTo('192.168.50.1'), 'vpn-home');
  t.equal(deviceTo('192.168.1.7'), 'eth0');
  t.equal(deviceTo('203.0.113.1'), 'eth0');
  t.equal(deviceTo('fd50:2::1'), 'vpn-home');
  t.equal(deviceTo('fd50:1::1'), 'eth0');
  t.equal(deviceTo('fd51::1'), undefined);
});

t.test('routes that refuse packets, of each device, or for some sources only are left out', async (t) => {
  t.same(
    ipv4RoutesIn(IPV4).map(({ device, length }) => `${device} ${length}`),
    ['eth0 0', 'eth0 24', 'vpn-home 16', 'vpn-home 24'],
  );
  t.same(
    ipv6RoutesIn(IPV6).map(({ device, length }) => `${device} ${length}`),
    ['vpn-home 16', 'eth0 48'],
  );
});

t.test('a table that cannot be read, or is too long, has no routes', async (t) => {
  const unreadable = (): string => {
    throw new Error('EMFILE');
  };
  t.same(readSystemRoutes(unreadable), []);
  t.same(
    readSystemRoutes((path, limit) => (path.endsWith('ipv6_route') ? IPV6 : IPV4.repeat(10_000)).slice(0, limit)),
    ipv6RoutesIn(IPV6),
  );
  t.same(
    readSystemRoutes(() => 'nonsense\n'),
    [],
  );
});

t.test('the tables of this machine can be read', async (t) => {
  for (const { network, length, device } of readSystemRoutes()) {
    t.ok(length <= 8 * network.length, device);
  }
  t.pass('whatever routes there are');
});
