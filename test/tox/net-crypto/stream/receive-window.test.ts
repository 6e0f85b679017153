import t from 'tap';
import { MemoryBudget, type MemoryShare } from '../../../../src/base/memory-budget.js';
import { ReceiveWindow } from '../../../../src/tox/net-crypto/stream/receive-window.js';
import { SeededRandom } from '../../../support/seeded-random.js';
import { numbered } from '../crypto-peers.js';

const MIB = 1024 * 1024;
const share = (): MemoryShare => new MemoryBudget({ total: 128 * MIB, floor: MIB / 4 }).share();

/** Passes a packet to a window, and returns the packets that it delivers. */
function give(window: ReceiveWindow, number: number, data = numbered(number)): Buffer[] {
  if (window.onReceived(number, data) !== 'next') return [];
  const out = [data];
  for (let next = window.takeNext(); next !== undefined; next = window.takeNext()) out.push(next);
  return out;
}

t.test('packets are delivered in order, whatever the order of arrival, across the wrap too', async (t) => {
  const random = new SeededRandom(1);
  for (const first of [0, 0xffff_fe00]) {
    const window = new ReceiveWindow(share(), first);
    const numbers = Array.from({ length: 1000 }, (_, at) => (first + at) >>> 0);
    const shuffled = [...numbers].sort(() => random.fraction() - 0.5);
    const out = shuffled.flatMap((number) => give(window, number));
    t.same(
      out.map((data) => data.readUInt32BE(1)),
      numbers,
    );
    t.equal(window.heldBytes, 0);
    t.notOk(window.hasHoles);
  }
});

t.test('a packet that was received before, or already waits, is a duplicate', async (t) => {
  const window = new ReceiveWindow(share());
  t.equal(window.onReceived(0, numbered(0)), 'next');
  t.equal(window.onReceived(0, numbered(0)), 'duplicate');
  t.equal(window.onReceived(5, numbered(5)), 'early');
  t.equal(window.onReceived(5, numbered(5)), 'duplicate');
});

t.test('a packet 32,768 numbers ahead is outside the window', async (t) => {
  const window = new ReceiveWindow(share());
  t.equal(window.onReceived(32_768, numbered(0)), 'outside');
  t.equal(window.onReceived(32_767, numbered(0)), 'early');
  t.equal(window.onReceived(0x7fff_ffff, numbered(0)), 'outside');
});

t.test('a peer that leaves out one packet cannot fill our memory', async (t) => {
  const window = new ReceiveWindow(share());
  let last = '';
  for (let number = 1; number < 32_768; number += 1) last = window.onReceived(number, Buffer.alloc(1373, 162));
  t.equal(last, 'no room');
  t.ok(window.heldBytes <= 27 * 1024 * 1024);
  t.equal(give(window, 0).length > 10_000, true, 'the missing one opens the way');
  t.equal(window.heldBytes, 0);
});

t.test('a hole is reported as new once', async (t) => {
  const window = new ReceiveWindow(share());
  give(window, 0);
  t.notOk(window.takeNewHole());
  window.onReceived(2, numbered(2));
  t.ok(window.takeNewHole());
  t.notOk(window.takeNewHole());
  window.onReceived(3, numbered(3));
  t.notOk(window.takeNewHole(), 'the next one in the row leaves no hole');
});

t.test('the end that the peer advertises reveals packets missing at the tail', async (t) => {
  const window = new ReceiveWindow(share());
  give(window, 0);
  window.onAdvertised(3);
  t.ok(window.takeNewHole());
  t.ok(window.hasHoles);
  t.ok(window.isMissing(1) && window.isMissing(2));
  window.onAdvertised(2);
  t.equal(window.end, 3, 'a stale end is ignored');
  window.onAdvertised(1 + 32_769);
  t.equal(window.end, 3, 'an absurd one, too');
  window.onAdvertised(0);
  t.equal(window.end, 3);
});

t.test(
  'connections that all leave out one packet share a budget, and a further connection still has room',
  async (t) => {
    const budget = new MemoryBudget({ total: 128 * MIB, floor: MIB / 4 });
    const greedy = Array.from({ length: 300 }, () => new ReceiveWindow(budget.share()));
    const data = Buffer.alloc(1373, 162);
    for (let number = 1; number < 32_768; number += 64) {
      for (const window of greedy) for (let at = 0; at < 64; at += 1) window.onReceived(number + at, data);
    }
    t.ok(budget.used <= 128 * MIB, `${budget.used} bytes`);
    t.ok(budget.used >= 100 * MIB, 'it is there to be used');
    const honest = new ReceiveWindow(budget.share());
    let taken = 0;
    while (honest.onReceived(1 + taken, data) === 'early') taken += 1;
    t.ok(taken >= 140, `${taken} packets`);
    for (const window of greedy) window.close();
    honest.close();
    t.equal(budget.used, 0);
  },
);

t.test('early packets of all connections never exceed the budget, and all of it is released', async (t) => {
  for (const seed of [1, 2, 3]) {
    const random = new SeededRandom(seed);
    const [total, floor] = [4 * MIB, MIB / 4];
    const budget = new MemoryBudget({ total, floor });
    let windows: ReceiveWindow[] = [];
    for (let round = 0; round < 100_000; round += 1) {
      if (windows.length < 20 && random.below(500) === 0)
        windows.push(new ReceiveWindow(budget.share(), random.below(2 ** 32)));
      const window = windows[random.below(windows.length)];
      if (window === undefined) continue;
      const kind = random.below(1000);
      if (kind === 0) {
        window.close();
        windows = windows.filter((one) => one !== window);
      } else if (kind < 20) window.onAdvertised((window.start + random.below(50_000)) >>> 0);
      else if (kind < 200) give(window, window.start, random.bytes(random.below(1374)));
      else
        give(window, (window.start + random.below(kind < 600 ? 300 : 33_000)) >>> 0, Buffer.alloc(random.below(1374)));
      if (budget.used > total + windows.length * floor) t.fail(`seed ${seed}: ${budget.used} bytes`);
    }
    for (const window of windows) window.close();
    t.equal(budget.used, 0, `seed ${seed}`);
  }
});

t.test('a ring that grew for a packet far ahead shrinks once all packets have arrived', async (t) => {
  const budget = new MemoryBudget({ total: 128 * MIB, floor: MIB / 4 });
  const window = new ReceiveWindow(budget.share());
  window.onReceived(20_000, numbered(20_000));
  t.ok(budget.used > 250_000);
  for (let number = 0; number < 20_000; number += 1) give(window, number);
  t.equal(window.start, 20_001);
  t.equal(budget.used, 0);
});

t.test('a stored packet does not keep the buffer that it was read with', async (t) => {
  const window = new ReceiveWindow(share());
  const memory = Buffer.alloc(65_536, 162);
  window.onReceived(1, memory.subarray(100, 1473));
  const [, held] = give(window, 0);
  t.equal(held?.length, 1373);
  t.equal(held?.buffer.byteLength, 1373);
});
