import t from 'tap';
import { Endpoint } from '../../../../src/base/endpoint.js';
import { type Route, UdpRoute } from '../../../../src/tox/net-crypto/path/route.js';
import { RouteTable } from '../../../../src/tox/net-crypto/path/route-table.js';

const udp = (address: string, port = 33445): Route => new UdpRoute(Endpoint.of(address, port) as Endpoint, () => {});
const relayIn = (state: Route['state']): Route => ({
  key: 'relay',
  kind: 'relay',
  isLan: false,
  endpoint: undefined,
  pacesItself: false,
  state,
  send: () => {},
});
const relay = relayIn('ready');
const lan = udp('192.168.1.5');
const v4 = udp('203.0.113.5');
const v6 = udp('2001:db8::5');

function tableOf(...routes: Route[]): RouteTable {
  const table = new RouteTable();
  for (const route of routes) table.add(route);
  return table;
}

t.test('among live addresses, LAN over IPv4 is preferred to IPv6, and IPv6 to IPv4', async (t) => {
  const table = tableOf(v4, v6, lan);
  for (const route of [lan, v6, v4]) table.onReceived(route.key, 1000);
  t.equal(table.best(1000), lan);
  table.remove(lan.key);
  t.equal(table.best(1000), v6);
});

t.test('a live address is preferred to better ones that are dead', async (t) => {
  const table = tableOf(lan, v6, v4);
  table.onReceived(v4.key, 1000);
  t.equal(table.best(1000), v4);
});

t.test('an address that the peer has left is abandoned though it was better', async (t) => {
  const table = tableOf(lan, v4);
  table.onReceived(lan.key, 1000);
  table.onReceived(v4.key, 2000);
  t.equal(table.best(2000), lan);
  table.onReceived(v4.key, 4000);
  t.equal(table.best(4000), v4);
});

t.test('of two equal addresses, the one that received last is used', async (t) => {
  const rebound = udp('203.0.113.5', 40_000);
  const table = tableOf(v4, rebound);
  table.onReceived(v4.key, 1000);
  table.onReceived(rebound.key, 1001);
  t.equal(table.best(1001), rebound);
});

t.test('a relay carries everything while no address is live, and nothing while one is', async (t) => {
  const table = tableOf(v4, relay);
  t.equal(table.best(0), relay);
  table.onReceived(v4.key, 1000);
  t.equal(table.best(3500), v4);
  t.ok(table.isRecentlyDirect(3500));
  t.equal(table.best(3501), relay, 'two packets that should have come are missing');
  t.notOk(table.isRecentlyDirect(3501));
  t.ok(table.isDirect(9000));
  t.notOk(table.isDirect(9001));
});

t.test('a relay that the peer is not connected to is the last resort', async (t) => {
  const table = tableOf(v4, relayIn('doubtful'));
  t.equal(table.best(0), v4);
  table.onReceived(v4.key, 1000);
  t.equal(table.best(9000), v4, 'and an address is given all the time that it has');
  t.equal(tableOf(relayIn('doubtful')).best(0)?.kind, 'relay');
});

t.test('unverified addresses cannot displace a live address', async (t) => {
  const table = tableOf(v4);
  table.onReceived(v4.key, 1000);
  for (let port = 1; port < 100; port += 1) table.add(udp('198.51.100.1', port));
  t.ok(table.has(v4.key));
  t.equal(table.all.length, 4);
  t.equal(table.best(1000), v4);
});

t.test('when no address is live, the one that received last is preferred to unverified ones', async (t) => {
  const table = tableOf(lan, v6, v4);
  table.onReceived(v4.key, 1000);
  t.equal(table.best(60_000), v4);
});

t.test(
  'a peer that sends by a relay instead of UDP is followed there before its address counts as silent',
  async (t) => {
    const table = tableOf(v4, relay);
    table.onReceived(v4.key, 1000);
    table.onReceived(relay.key, 1500);
    t.equal(table.best(1500), v4, 'a latecomer proves nothing');
    table.onReceived(relay.key, 1501);
    t.equal(table.best(1501), relay);
    table.onReceived(v4.key, 1600);
    t.equal(table.best(1600), v4, 'and back');
  },
);

t.test('a receiving route that needs proof is not used until it is proven', async (t) => {
  const table = tableOf(v4, relay);
  table.onReceived(v4.key, 1000);
  table.requireProof(v4.key);
  t.equal(table.best(1000), relay);
  table.onProven(v4.key);
  t.equal(table.best(1000), v4);
});

t.test('without a key, proof is required of all addresses, new ones too, until UDP is in use', async (t) => {
  const table = tableOf(v4, relay);
  table.requireProof();
  table.add(v6);
  for (const { key } of [v4, v6]) table.onReceived(key, 1000);
  t.equal(table.best(1000), relay);
  table.onProven(v4.key);
  t.equal(table.best(1000), v4);
  table.trustNewRoutes();
  table.add(lan);
  table.onReceived(lan.key, 1001);
  t.equal(table.best(1001), lan);
});

t.test('a proven address is used during its grace period although the peer still sends by a relay', async (t) => {
  const table = tableOf(v4, relay);
  table.onReceived(v4.key, 1000);
  table.onReceived(relay.key, 10_000);
  table.onProven(v4.key, 10_500);
  t.equal(table.best(10_499), v4);
  t.equal(table.best(10_500), relay);
});

t.test('where UDP gets no answers at all, an address has to be proven', async (t) => {
  const table = tableOf(v4, relay);
  table.onReceived(v4.key, 1000);
  t.equal(table.best(1000, { isUdpBlocked: () => true }), relay);
  table.onProven(v4.key);
  t.equal(table.best(1000, { isUdpBlocked: () => true }), v4);
});

t.test('a failed UDP route is left alone for a peer that changes to a relay only after UDP silence', async (t) => {
  const doubtful = relayIn('doubtful');
  const table = tableOf(v4, doubtful);
  table.onReceived(v4.key, 1000);
  t.equal(table.best(1000, { needsReceived: true }), v4);
  table.requireProof(v4.key);
  t.equal(table.best(1000, { needsReceived: true }), doubtful);
  t.equal(table.best(1000), v4, 'one of our kind goes over by itself');
});

t.test('no proof is required of relays', async (t) => {
  const table = tableOf(v4, relay);
  table.requireProof();
  table.requireProof(relay.key);
  t.equal(table.proofOf(relay.key), 'unknown');
  t.equal(table.proofOf(v4.key), 'required');
});

t.test('an unproven address ranks below a relay and above dead addresses', async (t) => {
  const isProven = (key: string): boolean => key !== v4.key;
  const table = tableOf(v4, v6, relay);
  table.onReceived(v6.key, 1000);
  table.onReceived(v4.key, 9000);
  t.equal(table.best(9000, { isProven }), relay);
  table.remove(relay.key);
  t.equal(table.best(9000, { isProven }), v4);
  t.equal(table.best(60_000, { isProven }), v6, 'among the dead the proven one is the better guess');
});

t.test('of two equal addresses, the one in use stays in use unless the peer is found elsewhere', async (t) => {
  const rebound = udp('203.0.113.5', 40_000);
  const table = tableOf(v4, rebound);
  const current = v4.key;
  table.onReceived(v4.key, 1000);
  table.onReceived(rebound.key, 1001);
  t.equal(table.best(1001, { current }), v4);
  table.markLeft(v4.key);
  t.equal(table.best(1001, { current }), rebound);
  t.ok(table.hasFailed(v4.key));
  table.onReceived(v4.key, 1002);
  t.equal(table.best(1002, { current }), v4);
  t.equal(table.best(1002, { current: rebound.key }), rebound);
});

t.test('an address marked as left is abandoned although it was better', async (t) => {
  const table = tableOf(lan, v4);
  for (const route of [lan, v4]) table.onReceived(route.key, 1000);
  table.markLeft(lan.key);
  t.equal(table.best(1000, { current: lan.key }), v4);
});

t.test('of two equal relays, the one that received last is used, whichever is in use', async (t) => {
  const other = { ...relay, key: 'other relay' };
  const table = tableOf(relay, other);
  table.onReceived(relay.key, 1000);
  table.onReceived(other.key, 1001);
  t.equal(table.best(1001, { current: relay.key }), other);
});
