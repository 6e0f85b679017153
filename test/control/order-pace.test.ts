import t from 'tap';
import { OrderPace } from '../../src/control/order-pace.js';
import { ManualClock } from '../support/manual-clock.js';

/** Clients that give an order as soon as the one before has begun. */
class Bench {
  readonly clock = new ManualClock();
  workload = 1;
  readonly pace = new OrderPace({ clock: this.clock, workload: () => this.workload });
  /** Who began, in order. */
  readonly begun: string[] = [];

  /** @param ends whether it asks but once */
  ask(name: string, ends = false): () => void {
    const later = (): void => {
      this.begun.push(name);
      if (!ends) this.#next(later);
    };
    this.#next(later);
    return later;
  }

  #next(later: () => void): void {
    // An order takes a moment of its own.
    this.clock.after(1, () => {
      if (this.pace.mayBegin(later)) later();
    });
  }

  during(milliseconds: number): string[] {
    this.begun.length = 0;
    this.clock.advance(milliseconds);
    return this.begun;
  }
}

t.test('a daemon with little to do begins each order at once', async (t) => {
  const bench = new Bench();
  bench.workload = 0.5;
  bench.ask('a');
  t.equal(bench.during(2_000).length, 2_000);
});

t.test('the first orders to a busy daemon begin at once', async (t) => {
  const bench = new Bench();
  bench.ask('a');
  t.equal(bench.during(50).length, 50);
});

t.test('a busy daemon begins some orders a second, whoever gives them', async (t) => {
  const bench = new Bench();
  for (const name of ['a', 'b', 'c']) bench.ask(name);
  bench.during(5_000);
  t.ok(Math.abs(bench.during(10_000).length - 250) <= 2, `${bench.begun.length} in ten seconds`);
});

t.test('each client gets its turn: one that gives many orders holds up none', async (t) => {
  const bench = new Bench();
  bench.ask('many');
  bench.during(5_000);
  bench.ask('one', true);
  t.ok(bench.during(200).includes('one'));
  bench.ask('other');
  bench.during(1_000);
  const count = (name: string): number => bench.begun.filter((each) => each === name).length;
  t.ok(Math.abs(count('many') - count('other')) <= 2, `${count('many')} and ${count('other')}`);
});

t.test('what waits begins once the tunnels leave time', async (t) => {
  const bench = new Bench();
  bench.ask('a');
  bench.during(5_000);
  bench.workload = 0.2;
  t.ok(bench.during(1_000).length > 900);
});

t.test('who has gone is not called, and nobody who waits leaves no timer behind', async (t) => {
  const bench = new Bench();
  const first = bench.ask('a');
  bench.during(5_000);
  bench.pace.forget(first);
  t.same(bench.during(1_000), []);
  t.equal(bench.clock.pending, 0);
});
