import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { silentLogger } from '../../../src/base/logger.js';
import { broadcastOf, type ListInterfaces, LocalInterfaces } from '../../../src/tox/network/interfaces.js';

t.test('the broadcast address is the last one of the network', async (t) => {
  t.equal(broadcastOf('192.168.1.7', '255.255.255.0'), '192.168.1.255');
  t.equal(broadcastOf('10.1.2.3', '255.255.240.0'), '10.1.15.255');
  t.equal(broadcastOf('10.1.2.3', '255.255.255.255'), '10.1.2.3');
});

t.test('every listed interface has a literal address other than loopback', async (t) => {
  for (const { address, broadcast } of new LocalInterfaces({ log: silentLogger }).read()) {
    t.not(Endpoint.of(address, 1), undefined, address);
    t.notMatch(address, /^(127\.|::1$)/);
    if (broadcast !== undefined) t.equal(Endpoint.of(broadcast, 1)?.family, 4);
  }
  t.pass('whatever interfaces there are');
});

t.test('without a free descriptor the last known interfaces are returned, and one warning is logged', async (t) => {
  const said: string[] = [];
  const log = { ...silentLogger, warn: (text: string) => void said.push(text) };
  let isOut = false;
  const list: ListInterfaces = () => {
    // As Node throws it: libuv returns the number with the wrong sign.
    if (isOut) throw Object.assign(new Error('Unknown'), { code: 'ERR_SYSTEM_ERROR', info: { errno: 24 } });
    return {
      eth0: [{ address: '10.0.0.1', netmask: '255.0.0.0', family: 'IPv4', mac: '', internal: false, cidr: null }],
    };
  };
  const interfaces = new LocalInterfaces({ log, list });
  const before = interfaces.read();
  t.same(before, [{ address: '10.0.0.1', broadcast: '10.255.255.255' }]);
  isOut = true;
  t.same([interfaces.read(), interfaces.read()], [before, before]);
  t.match(said, [/\(EMFILE\)/]);
  isOut = false;
  interfaces.read();
  isOut = true;
  t.same(interfaces.read(), before);
  t.equal(said.length, 2);
});

const tun = (address: string, netmask: string, length: number, scopeid = 0) => {
  const common = { address, netmask, mac: '00:00:00:00:00:00', internal: false, cidr: `${address}/${length}` };
  return address.includes(':')
    ? { ...common, family: 'IPv6' as const, scopeid }
    : { ...common, family: 'IPv4' as const };
};
const DEVICES: ReturnType<ListInterfaces> = {
  'vpn-home': [
    tun('10.77.0.2', '255.255.255.0', 24),
    tun('fd77::2', 'ffff:ffff:ffff:ffff::', 64),
    tun('fe80::2', 'ffff:ffff:ffff:ffff::', 64, 7),
  ],
  wg0: [tun('10.8.0.2', '255.255.255.0', 24)],
};

t.test('a device whose alias says that it is a VPN of ours is left out', async (t) => {
  const aliasOf = (name: string): string => (name === 'vpn-home' ? 'tuntox-vpn' : '');
  const interfaces = new LocalInterfaces({ log: silentLogger, list: () => DEVICES, aliasOf });
  t.same(interfaces.read(), [{ address: '10.8.0.2', broadcast: '10.8.0.255' }]);
});

t.test('what comes from the networks of such a device is known', async (t) => {
  let alias = 'tuntox-vpn';
  const aliasOf = (name: string): string => (name === 'vpn-home' ? alias : '');
  const interfaces = new LocalInterfaces({ log: silentLogger, list: () => DEVICES, aliasOf });
  const isInOwnVpn = (address: string): boolean => interfaces.isInOwnVpn(Endpoint.ofSource(address, 33445));
  t.notOk(isInOwnVpn('10.77.0.1'), 'not before it was seen');
  interfaces.read();
  for (const address of ['10.77.0.1', 'fd77::1', 'fe80::1%vpn-home', '10.77.0.1']) t.ok(isInOwnVpn(address), address);
  for (const address of ['10.8.0.1', 'fe80::1%eth0', '203.0.113.1', '::1']) t.notOk(isInOwnVpn(address), address);
  alias = '';
  interfaces.read();
  t.notOk(isInOwnVpn('10.77.0.1'), 'when it is an ordinary device');
});

t.test(
  'so is what the system routes to it, unless that is everything or a narrower route leads elsewhere',
  async (t) => {
    const route = (device: string, network: string, length: number) => {
      return { device, network: Endpoint.ofSource(network, 1).toBytes(), length, metric: 0 };
    };
    let routes = [
      route('eth0', '0.0.0.0', 0),
      route('vpn-home', '192.168.0.0', 16),
      route('eth0', '192.168.1.0', 24),
      route('vpn-home', 'fd50::', 16),
    ];
    const aliasOf = (name: string): string => (name === 'vpn-home' ? 'tuntox-vpn' : '');
    const interfaces = new LocalInterfaces({ log: silentLogger, list: () => DEVICES, aliasOf, routes: () => routes });
    const isInOwnVpn = (address: string): boolean => interfaces.isInOwnVpn(Endpoint.ofSource(address, 33445));
    interfaces.read();
    for (const address of ['192.168.50.1', 'fd50::1', '10.77.0.1']) t.ok(isInOwnVpn(address), address);
    for (const address of ['192.168.1.7', '203.0.113.1', 'fd51::1']) t.notOk(isInOwnVpn(address), address);
    routes = [route('vpn-home', '0.0.0.0', 1), route('vpn-home', '128.0.0.0', 1), route('vpn-home', '::', 0)];
    interfaces.read();
    for (const address of ['192.168.50.1', '203.0.113.1', '2001:db8::1']) t.notOk(isInOwnVpn(address), address);
  },
);
