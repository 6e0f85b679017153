import t from 'tap';
import { connectedPair, isInOrder, numbered, sendAll, World } from './crypto-peers.js';

t.test('two peers connect, and both are told', async (t) => {
  const { near, far } = connectedPair();
  t.equal(near.connection.state, 'established');
  t.equal(far.connection.state, 'established');
  t.same(near.notes.events, ['established']);
  t.same(far.notes.events, ['established']);
});

t.test(
  'what is sent before there is a session arrives one and a half round trips after the first packet',
  async (t) => {
    const world = new World();
    const alice = world.peer('203.0.113.1');
    const bob = world.peer('203.0.113.2');
    world.network.faults.delay = 10;
    const { connection } = alice.connect(bob);
    connection.sendLossless(numbered(0));
    connection.sendLossless(numbered(1));
    const isThere = (): boolean => bob.accepted[0]?.notes.lossless.length === 2;
    t.ok(world.clock.runUntil(isThere, 51), 'cookie request, cookie, handshake, handshake, data');
  },
);

t.test('5000 packets arrive in order and intact through loss, reordering and duplication', async (t) => {
  const { world, near, far } = connectedPair(7);
  Object.assign(world.network.faults, { delay: 10, jitter: 20, loss: 0.3, duplicate: 0.1 });
  sendAll(near.connection, near.notes, 5000);
  sendAll(far.connection, far.notes, 5000);
  world.clock.runUntil(() => far.notes.lossless.length >= 5000 && near.notes.lossless.length >= 5000, 120_000);
  t.ok(isInOrder(far.notes.lossless, 5000));
  t.ok(isInOrder(near.notes.lossless, 5000));
});
