import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { SharedKeyCache } from '../../../src/tox/crypto/shared-key-cache.js';
import {
  AnnouncementCounter,
  announcedNodes,
  neighboursOf,
  openDhtAnnouncement,
  sealDhtAnnouncement,
} from '../../../src/tox/friend/dht-announcement.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { DhtNetwork } from '../../support/dht-network.js';
import { mutations } from '../../support/fuzz.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(1);
const [alice, bob] = [generateKeyPair(random), generateKeyPair(random)];
const DATA = Buffer.from('an announcement');
const own = { random, ownKey: alice.publicKey, realKeys: new SharedKeyCache(alice.secretKey) };
const packet = sealDhtAnnouncement(own, bob.publicKey, DATA);

t.test('the friend opens a sealed announcement and learns its sender', async (t) => {
  const opened = openDhtAnnouncement(new SharedKeyCache(bob.secretKey), packet, () => true);
  t.same(opened?.data, DATA);
  t.equal(opened?.sender.hex, alice.publicKey.hex);
});

t.test('a stranger costs no key agreement', async (t) => {
  const asked: string[] = [];
  const isKnown = (sender: { hex: string }): boolean => {
    asked.push(sender.hex);
    return false;
  };
  t.equal(openDhtAnnouncement(new SharedKeyCache(bob.secretKey), packet, isKnown), undefined);
  t.same(asked, [alice.publicKey.hex]);
});

t.test('hostile bytes are not opened', async (t) => {
  const keys = new SharedKeyCache(bob.secretKey);
  for (const bytes of mutations(2, [packet], 1_000)) {
    if (!bytes.equals(packet) && openDhtAnnouncement(keys, bytes, () => true)) t.fail('opened');
  }
});

const dhtKey = generateKeyPair(random).publicKey;
const at = (address: string, port = 33445): Endpoint => Endpoint.of(address, port) as Endpoint;
const node = (address: string): NodeInfo => ({ publicKey: generateKeyPair(random).publicKey, endpoint: at(address) });
const keys = (nodes: readonly NodeInfo[]): string[] => nodes.map(({ endpoint }) => endpoint.key);

t.test(
  'the public address that others report comes first, then those of the interfaces, then a neighbour',
  async (t) => {
    const nodes = announcedNodes({
      dhtKey,
      reported: [at('203.0.113.9', 4000), at('203.0.113.9', 4001), at('10.0.0.1')],
      local: [at('192.168.1.5'), at('127.0.0.1')],
      neighbours: [node('198.51.100.1'), node('198.51.100.2'), node('198.51.100.3')],
    });
    t.same(keys(nodes), ['203.0.113.9:4000', '192.168.1.5:33445', '198.51.100.1:33445', '198.51.100.2:33445']);
    t.ok(nodes[0]?.publicKey.equals(dhtKey));
  },
);

t.test('an external address of a router replaces the address that others report', async (t) => {
  const nodes = announcedNodes({
    dhtKey,
    externalEndpoint: at('203.0.113.9', 7000),
    reported: [at('203.0.113.9', 4000), at('2001:db8::9', 4000)],
    local: [at('192.168.1.5')],
    neighbours: [node('198.51.100.1')],
  });
  t.same(keys(nodes), ['203.0.113.9:7000', '[2001:db8::9]:4000', '192.168.1.5:33445', '198.51.100.1:33445']);
});

t.test('one place is left for a neighbour, however many addresses there are', async (t) => {
  const local = [1, 2, 3, 4, 5].map((host) => at(`10.0.0.${host}`));
  const nodes = announcedNodes({ dhtKey, reported: [], local, neighbours: [node('198.51.100.1')] });
  t.same(keys(nodes), ['10.0.0.1:33445', '10.0.0.2:33445', '10.0.0.3:33445', '198.51.100.1:33445']);
});

t.test('a loopback address is announced only when the network is on loopback', async (t) => {
  const local = [at('127.0.0.1'), at('::1')];
  t.same(keys(announcedNodes({ dhtKey, reported: [], local, neighbours: [node('198.51.100.1')] })), [
    '198.51.100.1:33445',
  ]);
  t.same(keys(announcedNodes({ dhtKey, reported: [], local, neighbours: [node('127.0.0.1')] })).slice(0, 2), [
    '127.0.0.1:33445',
    '[::1]:33445',
  ]);
});

t.test(
  'the loopback address is announced also while the only node, which is on this machine, is suspect',
  async (t) => {
    const net = new DhtNetwork(1);
    const place = { address: '127.0.0.1' };
    const [only, peer] = [net.peer({ ...place, port: 20_000 }), net.peer({ ...place, port: 20_001 })];
    peer.dht.bootstrap.addNode(only);
    net.clock.advance(20_000);
    net.network.blackHoles.add(only.endpoint.key);
    peer.dht.liveness.check(only);
    net.clock.advance(2_000);
    t.ok(peer.dht.liveness.isSuspect(only.publicKey));
    const neighbours = neighboursOf(peer.dht.known, peer.publicKey);
    t.same(keys(announcedNodes({ dhtKey, reported: [], local: [peer.endpoint], neighbours })), [
      '127.0.0.1:20001',
      '127.0.0.1:20000',
    ]);
  },
);

t.test('a link-local address with its scope is never announced', async (t) => {
  t.same(announcedNodes({ dhtKey, reported: [], local: [at('fe80::1%eth0')], neighbours: [] }), []);
});

t.test('our own relay is announced before another one when no NAT is in front of us', async (t) => {
  const relays = [node('203.0.113.1'), node('203.0.113.2'), { publicKey: dhtKey, endpoint: at('127.0.0.1', 443) }];
  const reported = [at('203.0.113.9', 4000)];
  const named = (local: readonly Endpoint[]): string[] =>
    announcedNodes({ dhtKey, reported, local, neighbours: [], relays }).map(
      ({ transport, endpoint }) => `${transport} ${endpoint.key}`,
    );
  t.same(named([at('203.0.113.9')]), [
    'udp 203.0.113.9:4000',
    'udp 203.0.113.9:33445',
    'tcp 203.0.113.9:443',
    'tcp 203.0.113.1:33445',
  ]);
  t.same(named([at('10.0.0.1')]), ['udp 203.0.113.9:4000', 'udp 10.0.0.1:33445', 'tcp 203.0.113.1:33445']);
});

t.test('one relay is announced with addresses of our own, and two without', async (t) => {
  const relays = [node('203.0.113.1'), node('203.0.113.2'), node('203.0.113.3')];
  const neighbours = [node('198.51.100.1'), node('198.51.100.2'), node('198.51.100.3')];
  const local = [at('192.168.1.5'), at('10.0.0.5'), at('10.0.0.6')];
  const named = announcedNodes({ dhtKey, reported: [], local, neighbours, relays });
  t.same(
    named.map(({ transport, endpoint }) => `${transport} ${endpoint.address}`),
    ['udp 192.168.1.5', 'udp 10.0.0.5', 'tcp 203.0.113.1', 'udp 198.51.100.1'],
  );
  const without = announcedNodes({ dhtKey, reported: [], local: [], neighbours, relays });
  t.same(
    without.map(({ transport, endpoint }) => `${transport} ${endpoint.address}`),
    ['tcp 203.0.113.1', 'tcp 203.0.113.2', 'udp 198.51.100.1', 'udp 198.51.100.2'],
  );
});

const START = 1_800_000_000n;

t.test('without relays the counter is the time', async (t) => {
  const clock = new ManualClock(Number(START));
  const counter = new AnnouncementCounter(clock);
  t.equal(counter.next(false), START);
  t.equal(counter.next(false), START);
  clock.advance(1_000);
  t.equal(counter.next(false), START + 1n);
});

t.test('with relays each counter is greater than the one before, but never far ahead of the time', async (t) => {
  const counter = new AnnouncementCounter(new ManualClock(Number(START)));
  t.same(
    [1, 2, 3, 4, 5].map(() => counter.next(true)),
    [START, START + 1n, START + 2n, START + 2n, START + 2n],
  );
});

t.test('the counter never decreases', async (t) => {
  const clock = new ManualClock(Number(START));
  const counter = new AnnouncementCounter(clock);
  for (let count = 0; count < 3; count += 1) counter.next(true);
  t.equal(counter.next(false), START + 2n);
});
