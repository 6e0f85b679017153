import t from 'tap';
import { OnionNetwork, type TestClient } from './onion-network.js';

const HELLO = Buffer.from('hello, friend');

/** Both search for each other, and send data to each node found and once a second; returns ms until both have heard. */
function meet(onion: OnionNetwork, a: TestClient, b: TestClient, limit: number): number | undefined {
  for (const [own, other] of [[a, b] as const, [b, a] as const]) {
    const search = own.client.search(other.identity.publicKey, { onFound: (stored) => stored.send(HELLO) });
    onion.clock.every(1_000, () => search.send(HELLO));
  }
  const start = onion.clock.now();
  const haveMet = onion.clock.runUntil(() => a.received.length > 0 && b.received.length > 0, limit);
  return haveMet ? onion.clock.now() - start : undefined;
}

for (const { nodes, loss, limit } of [
  { nodes: 1, loss: 0, limit: 2_000 },
  { nodes: 2, loss: 0, limit: 2_000 },
  { nodes: 4, loss: 0, limit: 2_000 },
  { nodes: 60, loss: 0, limit: 2_000 },
  { nodes: 1, loss: 0.2, limit: 120_000 },
  { nodes: 4, loss: 0.2, limit: 120_000 },
  { nodes: 60, loss: 0.2, limit: 120_000 },
]) {
  t.test(`two clients find each other and exchange data over ${nodes} nodes with ${loss * 100} % loss`, async (t) => {
    for (const seed of [1, 2, 3, 4]) {
      const onion = new OnionNetwork(nodes, seed);
      onion.network.faults.delay = 20;
      const [a, b] = [onion.addClient(), onion.addClient()];
      for (const { client, bootstrap } of [a, b]) {
        client.start();
        bootstrap(onion.nodes[0]!);
      }
      onion.network.faults.loss = loss;
      const time = meet(onion, a, b, limit);
      t.ok(time !== undefined, `seed ${seed}`);
      t.ok(a.received[0]?.sender.equals(b.identity.publicKey), 'the sender is proven');
      t.same(a.received[0]?.data, HELLO);
      t.ok(b.received[0]?.sender.equals(a.identity.publicKey));
      a.client.stop();
      b.client.stop();
    }
  });
}
