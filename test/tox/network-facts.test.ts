import t from 'tap';
import { type NetworkEvidence, networkFacts } from '../../src/tox/network-facts.js';
import { at, keyOf } from '../support/nodes.js';

const EVIDENCE: NetworkEvidence = {
  isOnline: true,
  ownUdp: { kind: 'answers', since: 0 },
  reported: [],
  relays: [],
  relayPort: undefined,
  relayClients: 2,
  relayedBytes: 30,
  dropped: { onion: 0, netCrypto: 0 },
  lossyDropped: 5,
  udpPort: 33445,
  udpSocket: 'native',
  mapping: undefined,
  bootstrapNodes: { known: 3, answering: 1, unresolved: [] },
};

const seenAs = (...reports: [address: string, port: number, count: number][]) => {
  const reported = reports.map(([address, port, count]) => ({ endpoint: at(address, port), count }));
  return networkFacts({ ...EVIDENCE, reported });
};

t.test('nodes that see the same port mean a NAT that can be punched, or none', async (t) => {
  t.same(seenAs(['198.51.100.1', 33445, 2]).ipv4, { kind: 'same-port', endpoint: '198.51.100.1:33445' });
});

t.test('nodes that each see another port mean a symmetric NAT', async (t) => {
  const facts = seenAs(['198.51.100.1', 1024, 1], ['198.51.100.1', 1025, 1]);
  t.same(facts.ipv4, { kind: 'symmetric', endpoint: '198.51.100.1:1024' });
});

t.test('a few reports from before a restart of the NAT do not make it symmetric', async (t) => {
  t.equal(seenAs(['198.51.100.1', 2000, 5], ['198.51.100.1', 1000, 2]).ipv4.kind, 'same-port');
});

t.test('one report shows nothing about the NAT', async (t) => {
  t.same(seenAs(['198.51.100.1', 1024, 1]).ipv4, { kind: 'unknown', endpoint: '198.51.100.1:1024' });
  t.same(seenAs().ipv4, { kind: 'unknown', endpoint: undefined });
});

t.test('neighbours, which see our private address, count only when no other nodes report', async (t) => {
  const facts = seenAs(['192.168.1.2', 33445, 5], ['198.51.100.1', 1024, 2]);
  t.same(facts.ipv4, { kind: 'same-port', endpoint: '198.51.100.1:1024' });
  t.equal(seenAs(['192.168.1.2', 33445, 5]).ipv4.endpoint, '192.168.1.2:33445');
});

t.test('the address families are independent', async (t) => {
  const facts = seenAs(['198.51.100.1', 1024, 2], ['2001:db8::1', 33445, 3]);
  t.equal(facts.ipv4.endpoint, '198.51.100.1:1024');
  t.equal(facts.ipv6.endpoint, '[2001:db8::1]:33445');
});

t.test('all facts can be serialised as JSON', async (t) => {
  const relays = [{ publicKey: keyOf('ab'), endpoint: at('198.51.100.9', 443) }];
  t.same(JSON.parse(JSON.stringify(networkFacts({ ...EVIDENCE, relays, relayPort: 4000 }))), {
    isOnline: true,
    udp: 'works',
    ipv4: { kind: 'unknown' },
    ipv6: { kind: 'unknown' },
    relays: [{ publicKey: keyOf('ab').hex, endpoint: '198.51.100.9:443' }],
    relayPort: 4000,
    relayClients: 2,
    relayedBytes: 30,
    dropped: { onion: 0, netCrypto: 0 },
    lossyDropped: 5,
    udpPort: 33445,
    udpSocket: 'native',
    bootstrapNodes: { known: 3, answering: 1, unresolved: [] },
  });
});
