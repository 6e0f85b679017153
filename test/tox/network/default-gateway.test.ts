import t from 'tap';
import { defaultRouteIn, gatewayReader, type RouteSources } from '../../../src/tox/network/default-gateway.js';

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const table = (...lines: readonly string[]): string =>
  [HEAD, ...lines.map((line) => `${line.replaceAll(' ', '\t')}\t0\t0\t0`), ''].join('\n');

t.test('the default route is found among other routes', async (t) => {
  const routes = table(
    'eth0 00000000 0100010A 0003 0 0 0 00000000',
    'eth0 0000010A 00000000 0001 0 0 0 00FFFFFF',
    'eth0 000000AC 0200010A 0003 0 0 0 0000F0FF',
  );
  t.same(defaultRouteIn(routes), { device: 'eth0', gateway: '10.1.0.1', metric: 0 });
});

t.test(
  'of several the one with the lowest metric is taken, and none that leads over no router or is down',
  async (t) => {
    const routes = table(
      'tun0 00000000 00000000 0001 0 0 0 00000000',
      'eth1 00000000 0100030A 0002 0 0 5 00000000',
      'wlan0 00000000 0101A8C0 0003 0 0 600 00000000',
      'eth0 00000000 0102A8C0 0003 0 0 100 00000000',
    );
    t.match(defaultRouteIn(routes), { device: 'eth0', gateway: '192.168.2.1' });
  },
);

t.test('a table without a default route, or no table, means no gateway', async (t) => {
  t.equal(defaultRouteIn(table('eth0 0000010A 00000000 0001 0 0 0 00FFFFFF')), undefined);
  t.equal(defaultRouteIn(''), undefined);
  t.equal(defaultRouteIn(table('eth0 00000000 xyz 0003 0 0 0 00000000')), undefined);
});

t.test('the table of this system, if any, is read without an error', async (t) => {
  const gateway = gatewayReader()();
  if (gateway !== undefined) t.match(gateway, { address: /^\d+\.\d+\.\d+\.\d+$/, ownAddress: /^\d+\.\d+\.\d+\.\d+$/ });
  else t.pass('it has none');
});

t.test('without a free descriptor the last known gateway is returned', async (t) => {
  let failing: Error | undefined;
  const orFail = <T>(value: T): T => {
    if (failing !== undefined) throw failing;
    return value;
  };
  const sources: RouteSources = {
    routes: () => (failing?.message === 'interfaces' ? routes : orFail(routes)),
    interfaces: () =>
      orFail({
        eth0: [{ address: '10.1.0.7', netmask: '255.255.255.0', family: 'IPv4', mac: '', internal: false, cidr: null }],
      }),
  };
  const routes = table('eth0 00000000 0100010A 0003 0 0 0 00000000');
  const read = gatewayReader(sources);
  const router = { address: '10.1.0.1', ownAddress: '10.1.0.7' };
  t.same(read(), router);
  failing = Object.assign(new Error('routes'), { code: 'EMFILE' });
  t.same(read(), router);
  failing = Object.assign(new Error('interfaces'), { code: 'ERR_SYSTEM_ERROR', info: { errno: 13 } });
  t.same(read(), router);
  failing = Object.assign(new Error('no /proc'), { code: 'ENOENT' });
  t.equal(read(), undefined);
});
