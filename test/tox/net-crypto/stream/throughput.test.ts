import t from 'tap';
import type { CryptoConnection } from '../../../../src/tox/net-crypto/crypto-connection.js';
import { connectedPair, type Notes, sendAll } from '../crypto-peers.js';
import { Bottleneck } from '../links.js';

const PACKET = 1445;
/** Returns the payload bytes per second of a link, without the headers of IP, UDP and net_crypto. */
const payloadOf = (megabits: number): number => ((megabits * 1e6) / 8) * (PACKET / (PACKET + 27 + 28));

interface Flow {
  readonly near: { readonly connection: CryptoConnection; readonly notes: Notes };
  readonly far: { readonly notes: Notes };
}

/** Keeps the sender busy; returns the payload bytes received so far. */
function saturate({ near, far }: Flow): () => number {
  let bytes = 0;
  far.notes.onPacket = (data) => {
    bytes += data.length;
    far.notes.lossless.length = 0;
  };
  sendAll(near.connection, near.notes, Number.POSITIVE_INFINITY, 'full');
  return () => bytes;
}

for (const { loss, queue } of [
  { loss: 0, queue: 1 },
  { loss: 0.01, queue: 1 },
  { loss: 0.01, queue: 0.25 },
  { loss: 0.05, queue: 1 },
]) {
  const name = `${loss * 100} % loss and a queue of ${queue} round trips`;
  t.test(`a link of 100 Mbit/s and 50 ms with ${name} is filled to 80 %`, async (t) => {
    const { world, alice, near, far } = connectedPair(3);
    const link = new Bottleneck(world.clock, { megabits: 100, queueBytes: queue * 625_000 });
    alice.shape = link.shape;
    Object.assign(world.network.faults, { delay: 25, loss });
    const received = saturate({ near, far });
    world.clock.advance(3000);
    const before = received();
    world.clock.advance(3000);
    const filled = (received() - before) / 3 / payloadOf(100);
    t.ok(filled >= 0.8, `${filled}`);
    t.ok(before / 3 / payloadOf(100) >= 0.7, 'from the first second on');
  });
}

t.test('small packets wait little behind a saturated link', async (t) => {
  const { world, alice, near, far } = connectedPair(3);
  alice.shape = new Bottleneck(world.clock, { megabits: 20, queueBytes: 1_000_000 }).shape;
  world.network.faults.delay = 10;
  saturate({ near, far });
  world.clock.advance(3000);
  let arrivedAt = 0;
  const sentAt = world.clock.now();
  far.notes.onPacket = (data) => {
    far.notes.lossless.length = 0;
    if (data[0] === 163) arrivedAt = world.clock.now();
  };
  t.ok(near.connection.sendLossless(Buffer.alloc(100, 163), { isUrgent: true }));
  t.ok(world.clock.runUntil(() => arrivedAt > 0, 2000));
  t.ok(arrivedAt - sentAt < 70, `${arrivedAt - sentAt} ms, where the queue alone could hold 400 ms`);
});

t.test('a transfer continues after an outage of 3 s', async (t) => {
  const { world, alice, bob, near, far } = connectedPair(3);
  alice.shape = new Bottleneck(world.clock, { megabits: 50, queueBytes: 200_000 }).shape;
  world.network.faults.delay = 20;
  const received = saturate({ near, far });
  world.clock.advance(2000);
  world.network.blackHoles.add(bob.endpoint.key);
  world.clock.advance(3000);
  world.network.blackHoles.clear();
  world.clock.advance(1000);
  const before = received();
  world.clock.advance(2000);
  t.ok((received() - before) / 2 / payloadOf(50) >= 0.8, `${(received() - before) / 2}`);
});
