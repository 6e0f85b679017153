import t from 'tap';
import { SlowChecks } from '../../../src/engine/access/slow-checks.js';

/** Checks that say their name when they begin, and end by hand. */
class Checks {
  readonly begun: string[] = [];
  readonly checks = new SlowChecks();
  readonly #ends: (() => void)[] = [];

  run(name: string, isTrusted = false): Promise<string | undefined> {
    const check = async (): Promise<string> => {
      this.begun.push(name);
      await new Promise<void>((resolve) => this.#ends.push(resolve));
      return name;
    };
    return this.checks.run(check, isTrusted);
  }

  async endOne(): Promise<void> {
    this.#ends.shift()?.();
    await new Promise(setImmediate);
  }
}

t.test('checks run one after the other, trusted ones first', async (t) => {
  const bench = new Checks();
  const all = [bench.run('a'), bench.run('b'), bench.run('trusted', true)];
  t.same(bench.begun, ['a']);
  await bench.endOne();
  t.same(bench.begun, ['a', 'trusted']);
  await bench.endOne();
  await bench.endOne();
  t.same(await Promise.all(all), ['a', 'b', 'trusted']);
});

t.test('eight checks of each kind wait, and one more is refused at once', async (t) => {
  const bench = new Checks();
  const first = bench.run('first');
  for (let index = 0; index < 8; index += 1) void bench.run(`stranger ${index}`);
  t.equal(await bench.run('one too many'), undefined);
  for (let index = 0; index < 8; index += 1) void bench.run(`trusted ${index}`, true);
  t.equal(await bench.run('one too many', true), undefined);
  for (let index = 0; index < 17; index += 1) await bench.endOne();
  t.equal(await first, 'first');
  t.equal(bench.begun.length, 17);
});

t.test('a failed check does not delay the next one', async (t) => {
  const checks = new SlowChecks();
  const failing = checks.run(() => Promise.reject(new Error('no memory')), false);
  const next = checks.run(async () => 'next', false);
  t.same(await Promise.all([failing, next]), [undefined, 'next']);
});
