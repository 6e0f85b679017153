import t from 'tap';
import { MemoryBudget } from '../../src/base/memory-budget.js';

t.test('one user may hold half of the memory, and two a third each', async (t) => {
  const budget = new MemoryBudget({ total: 300, floor: 10 });
  const [first, second] = [budget.share(), budget.share()];
  while (first.take(1));
  t.equal(first.used, 150);
  first.add(-50);
  while (second.take(1));
  t.equal(second.used, 100);
  t.notOk(first.take(1));
  t.equal(budget.used, 200);
});

t.test('the floor remains when nothing is left, and released memory is available to others', async (t) => {
  const budget = new MemoryBudget({ total: 300, floor: 10 });
  const [forced, late] = [budget.share(), budget.share()];
  forced.add(300);
  t.ok(late.take(10));
  t.notOk(late.take(1));
  forced.releaseAll();
  t.equal(forced.used, 0);
  t.ok(late.take(100));
  t.equal(budget.used, 110);
});
