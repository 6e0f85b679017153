import t from 'tap';
import { generateKeyPair } from '../../src/tox/crypto/key-pair.js';
import { DhtNetwork, type DhtPeer, deadNode } from '../support/dht-network.js';

/** Every peer looks for the one that stands seven further on; returns how many find it within `limit` ms. */
function findEachOther(net: DhtNetwork, peers: readonly DhtPeer[], limit: number): number {
  const searches = peers.map((peer, index) => {
    const sought = peers[(index + 7) % peers.length] as DhtPeer;
    return { sought, search: peer.dht.search(sought.publicKey) };
  });
  const found = (): number =>
    searches.filter(({ search, sought }) => search.endpoints.some((endpoint) => endpoint.equals(sought.endpoint)))
      .length;
  net.clock.runUntil(() => found() === peers.length, limit);
  return found();
}

t.test('sixty nodes with one bootstrap node all find a random other one by its DHT key', async (t) => {
  const net = new DhtNetwork(1);
  const peers = net.peers(60);
  net.clock.advance(3000);
  t.ok(peers.every((peer) => peer.dht.isConnected));
  t.equal(findEachOther(net, peers, 3000), 60);
});

t.test('they also do when every fifth datagram is lost', async (t) => {
  const net = new DhtNetwork(2);
  net.network.faults.loss = 0.2;
  const peers = net.peers(60);
  net.clock.advance(5000);
  t.ok(peers.every((peer) => peer.dht.isConnected));
  t.equal(findEachOther(net, peers, 10_000), 60);
});

t.test('a node is connected within a second if all its bootstrap nodes but one are silent', async (t) => {
  const net = new DhtNetwork(3);
  const peers = net.peers(20);
  net.clock.advance(3000);
  const late = net.peer();
  for (let index = 0; index < 9; index += 1) {
    late.dht.bootstrap.addNode(deadNode(net, generateKeyPair(net.random).publicKey, `30.0.0.${index}`));
  }
  late.dht.bootstrap.addNode(peers[0] as DhtPeer);
  t.ok(net.clock.runUntil(() => late.dht.isConnected, 1000));
  const search = late.dht.search((peers[13] as DhtPeer).publicKey);
  t.ok(net.clock.runUntil(() => search.endpoints.length > 0, 1000));
});

t.test('a node at rest sends almost nothing to silent bootstrap nodes', async (t) => {
  const net = new DhtNetwork(4);
  const [first] = net.peers(2);
  const late = net.peer();
  const dead = deadNode(net, generateKeyPair(net.random).publicKey, '30.0.0.1');
  let wasted = 0;
  net.network.filter = (_packet, _from, to) => {
    if (to.equals(dead.endpoint)) wasted += 1;
    return true;
  };
  net.network.blackHoles.clear();
  late.dht.bootstrap.addNode(dead);
  late.dht.bootstrap.addNode(first as DhtPeer);
  net.clock.advance(600_000);
  t.ok(late.dht.isConnected);
  t.ok(wasted >= 4 && wasted <= 8, `${wasted} packets`);
});

t.test('a network that lost all its nodes recovers by itself', async (t) => {
  const net = new DhtNetwork(5);
  const peers = net.peers(10);
  net.clock.advance(3000);
  net.network.faults.loss = 1;
  net.clock.advance(300_000);
  t.ok(peers.every((peer) => !peer.dht.isConnected));
  net.network.faults.loss = 0;
  net.clock.advance(70_000);
  t.ok(peers.every((peer) => peer.dht.isConnected));
  t.equal(findEachOther(net, peers, 3000), 10);
});

t.test('two nodes find each other through the only bootstrap node of a private network', async (t) => {
  const net = new DhtNetwork(6);
  const [, a, b] = net.peers(3) as [DhtPeer, DhtPeer, DhtPeer];
  const search = a.dht.search(b.publicKey);
  const back = b.dht.search(a.publicKey);
  t.ok(net.clock.runUntil(() => search.endpoints.length > 0 && back.endpoints.length > 0, 400));
  t.same(
    a.dht.reportedEndpoints.map(({ endpoint }) => endpoint.key),
    [a.endpoint.key],
    'and have been told their own address',
  );
});
