/** Sessions that know the capacity which an earlier session measured, on simulated links. */
import t from 'tap';
import type { SavedPath } from '../../../../src/tox/net-crypto/congestion/careful-resume.js';
import { connectedPair, sendAll } from '../crypto-peers.js';
import { FULL, type LinkOptions, StreamPair } from '../stream-pair.js';

const BYTES = 2e6;

/** Runs a first transfer. @param saved what the sender knows about the path */
function firstTransfer(link: Partial<LinkOptions>, saved?: SavedPath, isOurKind = true): { ms: number; again: number } {
  const pair = new StreamPair(link, { isOurKind });
  if (saved !== undefined) pair.near.session.congestion.resume(saved);
  const ms = pair.transfer(BYTES, 60_000);
  return { ms, again: pair.near.session.sender.retransmissions / (BYTES / FULL) };
}

const FAST: Partial<LinkOptions> = { rate: 400, delay: 50 };

t.test('a new session begins with half the rate that the last one measured', async (t) => {
  const pair = new StreamPair(FAST);
  t.equal(pair.near.session.congestion.learned, undefined, 'nothing is known from a few packets');
  pair.transfer(30e6, 60_000);
  const { learned } = pair.near.session.congestion;
  t.ok(learned !== undefined && learned.rate > 0.9 * 50_000 && learned.rate < 1.1 * 50_000, `${learned?.rate}`);
  t.ok(learned !== undefined && Math.abs(learned.roundTrip - 100) < 5, `${learned?.roundTrip}`);
  const [cold, warm] = [firstTransfer(FAST), firstTransfer(FAST, learned)];
  t.ok(warm.ms < cold.ms - 100, `${warm.ms} ms, ${cold.ms} without`);
  t.equal(warm.again, 0);
});

t.test('a path with a different round trip is treated as a different path', async (t) => {
  const cold = firstTransfer(FAST);
  for (const roundTrip of [20, 400]) {
    t.equal(firstTransfer(FAST, { rate: 50_000, roundTrip }).ms, cold.ms, `${roundTrip} ms`);
  }
});

t.test('a path that has become slow is detected at little cost', async (t) => {
  const slow: Partial<LinkOptions> = { rate: 20, delay: 50, queue: 50 };
  const [cold, resumed] = [firstTransfer(slow), firstTransfer(slow, { rate: 50_000, roundTrip: 100 })];
  t.ok(resumed.ms < 1.6 * cold.ms, `${resumed.ms} ms, ${cold.ms} without`);
  t.ok(resumed.again < 1, `${resumed.again} of the packets sent again`);
});

t.test('c-toxcore, which reads its socket every 50 ms, gets no such burst', async (t) => {
  t.equal(firstTransfer(FAST, { rate: 50_000, roundTrip: 100 }, false).ms, firstTransfer(FAST, undefined, false).ms);
});

t.test('a new session with the same peer uses what the last one learned', async (t) => {
  const { world, alice, bob, near, far } = connectedPair();
  world.network.faults.delay = 50;
  world.clock.advance(2000);
  const transfer = (from: typeof near, to: typeof far, packets: number): number => {
    const before = to.notes.lossless.length;
    const startedAt = world.clock.now();
    sendAll(from.connection, from.notes, packets, FULL);
    t.ok(world.clock.runUntil(() => to.notes.lossless.length >= before + packets, 60_000));
    return world.clock.now() - startedAt;
  };
  const first = transfer(near, far, 3000);
  near.connection.kill();
  world.clock.advance(1000);
  const next = alice.connect(bob);
  world.clock.advance(2000);
  const [, accepted] = bob.accepted;
  t.ok(accepted !== undefined);
  const second = transfer(next, accepted as typeof far, 3000);
  t.ok(second < first - 50, `${second} ms, ${first} the first time`);
});
