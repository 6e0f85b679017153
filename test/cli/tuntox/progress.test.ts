import t from 'tap';
import type { ConnectionEvent } from '../../../src/base/connection-event.js';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import { Progress } from '../../../src/cli/tuntox/progress.js';
import { ManualClock } from '../../support/manual-clock.js';

class Bench {
  readonly clock = new ManualClock();
  /** What stands on the line; empty for nothing. */
  shown = '';
  readonly #said: string[] = [];
  readonly #progress: Progress;

  constructor(isLasting = true) {
    const line = {
      show: (text: string): void => {
        this.shown = text;
      },
      clear: (): void => {
        this.shown = '';
      },
    };
    const say = (level: string) => (text: string) => void this.#said.push(`${level} ${text}`);
    const log: Logger = { ...silentLogger, info: say('info'), warn: say('warn') };
    this.#progress = new Progress({ clock: this.clock, line, log }, { name: 'nas', isLasting });
  }

  /** @returns what stands on the line after so many ms */
  after(duration: number, ...events: readonly ConnectionEvent[]): string {
    for (const event of events) this.#progress.onEvent(event);
    this.clock.advance(duration);
    return this.shown;
  }

  said(): string[] {
    return this.#said.splice(0);
  }
}

const notAdmitted = { event: 'refused', code: 'not-admitted', message: 'it has not admitted you' } as const;

t.test('the line has the stage and the seconds, and after a while a hint', async (t) => {
  const bench = new Bench();
  t.equal(bench.after(249, { event: 'bootstrapping' }), '', 'a connection that is there at once needs no line');
  t.equal(bench.after(1, { event: 'searching' }), 'searching for nas, 0 s');
  t.equal(bench.after(3_000), 'searching for nas, 3 s');
  const waiting = { event: 'waiting', code: 'not-found', message: 'nas has not been found' } as const;
  t.equal(bench.after(7_000, waiting), 'searching for nas, 10 s: is it running, and online?');
  t.equal(
    bench.after(1_000, { event: 'asking' }, notAdmitted),
    'asking nas for a connection, 11 s: it has not admitted this client',
  );
  t.same(bench.said(), ['warn it has not admitted you'], 'what its owner must know is said in full');
  bench.after(10_000, notAdmitted);
  t.same(bench.said(), [], 'once');
});

t.test('a connection ends the line with one line of its own, and then it is quiet', async (t) => {
  const bench = new Bench();
  bench.after(1_000, { event: 'searching' });
  t.equal(bench.after(0, { event: 'connected', path: 'direct', rttMs: 23.4 }), '');
  t.same(bench.said(), ['info connected: direct, 23 ms']);
  bench.after(
    60_000,
    { event: 'connected', path: 'relayed', rttMs: 90 },
    { event: 'connected', path: 'direct', rttMs: 23 },
  );
  t.same(bench.said(), []);
  t.equal(bench.shown, '');
});

t.test('a relayed connection has a moment to become direct', async (t) => {
  const bench = new Bench();
  bench.after(1_000, { event: 'asking' });
  t.equal(bench.after(0, { event: 'connected', path: 'relayed', rttMs: 4.04 }), 'connected: relayed, 4 ms');
  t.equal(bench.after(500, { event: 'connected', path: 'direct', rttMs: 2.55 }), '');
  t.same(bench.said(), ['info connected: direct, 2.5 ms']);
});

t.test('a connection that stays relayed, or without a round trip, is reported after that moment', async (t) => {
  const bench = new Bench();
  bench.after(1_000, { event: 'asking' });
  t.equal(bench.after(2_000, { event: 'connected', path: 'relayed' }), 'connected: relayed');
  t.equal(bench.after(999, { event: 'connected', path: 'relayed', rttMs: 60 }), 'connected: relayed, 60 ms');
  t.equal(bench.after(1), '');
  t.same(bench.said(), ['info connected: relayed, 60 ms']);
});

t.test('a lost connection is reported, and the line counts from then on', async (t) => {
  const bench = new Bench();
  bench.after(5_000, { event: 'searching' });
  bench.after(60_000, { event: 'connected', path: 'direct', rttMs: 23 });
  bench.said();
  const lost = { event: 'disconnected', reason: 'silent for 32 s' } as const;
  t.equal(bench.after(2_250, lost, { event: 'searching' }), 'searching for nas, 2 s');
  t.same(bench.said(), ['warn lost the connection to nas (silent for 32 s)']);
  bench.after(0, { event: 'connected', path: 'direct', rttMs: 23 });
  t.same(bench.said(), ['info connected: direct, 23 ms']);
});

t.test('where the connection serves one purpose, the line is gone before it, and stays away', async (t) => {
  const bench = new Bench(false);
  bench.after(5_000, { event: 'searching' });
  t.equal(bench.after(0, { event: 'connected', path: 'relayed' }), '');
  t.equal(bench.after(60_000, { event: 'disconnected' }, { event: 'searching' }, notAdmitted), '');
  t.same(bench.said(), [], 'a password may be asked for on this terminal');
});

t.test('the last error clears the line: the command itself reports it', async (t) => {
  const bench = new Bench();
  bench.after(5_000, { event: 'searching' });
  const retry = { event: 'retry', code: 'not-found', message: 'nas was not found', pauseMs: 1_500, left: 1 } as const;
  bench.after(0, retry);
  t.same(bench.said(), ['warn nas was not found; trying again in 1.5 s, the last try']);
  t.equal(bench.after(5_000, { event: 'error', code: 'not-found', message: 'nas was not found' }), '');
  t.same(bench.said(), []);
  t.equal(bench.clock.pending, 0);
});

t.test('a connection that comes and goes does not fill the terminal', async (t) => {
  const bench = new Bench();
  for (let count = 0; count < 500; count += 1) {
    bench.after(
      10,
      { event: 'searching' },
      { event: 'connected', path: 'direct', rttMs: 1 },
      { event: 'disconnected' },
    );
  }
  t.ok(bench.said().length < 250, 'of a thousand lines');
});
