import t from 'tap';
import { MemoryBudget } from '../../../src/base/memory-budget.js';
import { type Fragment, MAX_DATAGRAM } from '../../../src/tunnel/datagram/datagram-packet.js';
import { Reassembly } from '../../../src/tunnel/datagram/reassembly.js';
import { SeededRandom } from '../../support/seeded-random.js';

const KIB = 1024;

function setUp(total = 1024 * KIB, floor = 80 * KIB) {
  const budget = new MemoryBudget({ total, floor });
  return { budget, reassembly: new Reassembly(budget.share()) };
}

const part = (number: number, index: number, count: number): Fragment => ({ number, index, count });

t.test('fragments make a datagram in any order, each once', async (t) => {
  const { budget, reassembly } = setUp();
  t.equal(reassembly.add(part(1, 2, 3), Buffer.from('c'), 0), undefined);
  t.equal(reassembly.add(part(1, 0, 3), Buffer.from('a'), 0), undefined);
  t.equal(reassembly.add(part(1, 0, 3), Buffer.from('x'), 0), undefined, 'a copy');
  t.equal(reassembly.add(part(1, 1, 3), Buffer.from('b'), 0)?.toString(), 'abc');
  t.notOk(reassembly.isWaiting);
  t.equal(budget.used, 0);
});

t.test('two datagrams may overlap', async (t) => {
  const { reassembly } = setUp();
  reassembly.add(part(1, 0, 2), Buffer.from('a'), 0);
  reassembly.add(part(2, 0, 2), Buffer.from('c'), 0);
  t.equal(reassembly.add(part(2, 1, 2), Buffer.from('d'), 0)?.toString(), 'cd');
  t.equal(reassembly.add(part(1, 1, 2), Buffer.from('b'), 0)?.toString(), 'ab');
});

t.test('a datagram that lacks a fragment after a second is lost', async (t) => {
  const { budget, reassembly } = setUp();
  reassembly.add(part(1, 0, 2), Buffer.from('a'), 0);
  reassembly.add(part(2, 0, 2), Buffer.from('c'), 500);
  t.equal(reassembly.add(part(1, 1, 2), Buffer.from('b'), 1_000), undefined);
  t.equal(reassembly.add(part(2, 1, 2), Buffer.from('d'), 1_000)?.toString(), 'cd');
  reassembly.expire(2_000);
  t.equal(budget.used, 0);
});

t.test('a number that comes with another count is another datagram', async (t) => {
  const { reassembly } = setUp();
  reassembly.add(part(1, 0, 3), Buffer.from('a'), 0);
  reassembly.add(part(1, 0, 2), Buffer.from('c'), 1);
  t.equal(reassembly.add(part(1, 1, 2), Buffer.from('d'), 1)?.toString(), 'cd');
});

t.test('fragments that exceed the largest datagram are dropped', async (t) => {
  const { budget, reassembly } = setUp();
  for (let index = 0; index < 100; index += 1) {
    t.equal(reassembly.add(part(1, index, 100), Buffer.alloc(1_365), 0), undefined);
  }
  t.ok(budget.used <= MAX_DATAGRAM + 100 * 200);
});

t.test('a new datagram takes the place of the oldest where the memory is short', async (t) => {
  const { budget, reassembly } = setUp(200 * KIB);
  for (let number = 0; number < 10; number += 1) {
    for (let index = 0; index < 47; index += 1) reassembly.add(part(number, index, 48), Buffer.alloc(1_365), 0);
  }
  t.ok(budget.used <= 200 * KIB, `${budget.used}`);
  t.equal(reassembly.add(part(9, 47, 48), Buffer.alloc(100), 0)?.length, 47 * 1_365 + 100, 'the last one is whole');
});

t.test('whatever fragments come, the memory is bounded and all of it is released', async (t) => {
  const random = new SeededRandom(3);
  const budget = new MemoryBudget({ total: 256 * KIB, floor: 80 * KIB });
  const sessions = Array.from({ length: 8 }, () => new Reassembly(budget.share()));
  for (let round = 0; round < 50_000; round += 1) {
    const count = 2 + random.below(254);
    const session = sessions[random.below(8)] as Reassembly;
    session.add(
      part(random.below(100), random.below(count), count),
      random.bytes(1 + random.below(1_365)),
      round / 100,
    );
    if (budget.used > 256 * KIB + 8 * 80 * KIB) t.fail(`${budget.used} bytes`);
  }
  t.ok(budget.used > 0);
  for (const session of sessions) session.close();
  t.equal(budget.used, 0);
});
