import t from 'tap';
import { PeerCounter } from '../../../src/tunnel/link/peer-counter.js';

t.test('each peer has its count, and all peers have a total', async (t) => {
  const counter = new PeerCounter();
  counter.add('a', 3);
  counter.add('b', 5);
  counter.add('a', 4);
  t.same([counter.of('a'), counter.of('b'), counter.of('c'), counter.total], [7, 5, 0, 12]);
  counter.add('a', -7);
  t.same([counter.of('a'), counter.total], [0, 5]);
});

t.test('the peer with the highest count is known, unless all counts are 0', async (t) => {
  const counter = new PeerCounter();
  t.equal(counter.highest, undefined);
  counter.add('a', 3);
  counter.add('b', 5);
  t.equal(counter.highest, 'b');
  counter.add('b', -5);
  t.equal(counter.highest, 'a');
  counter.add('a', -3);
  t.equal(counter.highest, undefined);
});

t.test('a peer that keeps its place counts as 0', async (t) => {
  const counter = new PeerCounter((peerId) => peerId === 'a');
  counter.add('a', 3);
  counter.add('a', -3);
  t.same([counter.of('a'), counter.total, counter.highest], [0, 0, undefined]);
  counter.add('b', 1);
  t.equal(counter.highest, 'b');
});
