import t from 'tap';
import { DhtNetwork, type DhtPeer, type PeerPlace } from '../support/dht-network.js';

/** Twenty public nodes and two behind NATs that look for each other; returns whether they meet within `limit` ms. */
function meet(seed: number, a: PeerPlace['nat'], b: PeerPlace['nat'], limit: number): boolean {
  const net = new DhtNetwork(seed);
  const [first] = net.peers(20) as [DhtPeer];
  net.clock.advance(3000);
  const [left, right] = [net.peer({ ...(a && { nat: a }) }), net.peer({ ...(b && { nat: b }) })];
  left.dht.bootstrap.addNode(first);
  right.dht.bootstrap.addNode(first);
  const there = left.dht.search(right.publicKey);
  const back = right.dht.search(left.publicKey);
  return net.clock.runUntil(() => there.endpoints.length > 0 && back.endpoints.length > 0, limit);
}

t.test('a public node and one behind a symmetric NAT connect', async (t) => {
  t.ok(meet(1, undefined, 'symmetric', 5000));
});

t.test('two nodes behind cone NATs connect', async (t) => {
  t.ok(meet(2, 'cone', 'cone', 5000));
});

t.test('a node behind a cone NAT guesses the port of one behind a symmetric NAT', async (t) => {
  t.ok(meet(3, 'cone', 'symmetric', 30_000));
});
