import t from 'tap';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import { ClientReport } from '../../../src/cli/tuntox/client-report.js';
import type { ClientNews } from '../../../src/engine/server/client-news.js';
import { ManualClock } from '../../support/manual-clock.js';

const CLIENT = 'ab'.repeat(32);

class Bench {
  readonly clock = new ManualClock();
  readonly #said: string[] = [];
  readonly report: ClientReport;

  constructor() {
    const log: Logger = { ...silentLogger, info: (text) => void this.#said.push(text) };
    this.report = new ClientReport({ clock: this.clock, log });
  }

  /** @returns what it says in that time */
  after(duration: number, ...news: readonly ClientNews[]): string[] {
    for (const one of news) this.report.tell(one);
    this.clock.advance(duration);
    return this.#said.splice(0);
  }
}

const connected = (path: 'direct' | 'relayed', rttMs?: number): ClientNews => ({
  event: 'client-connected',
  client: CLIENT,
  path,
  ...(rttMs === undefined ? {} : { rttMs }),
});

t.test('who came and what they do is one line each', async (t) => {
  const bench = new Bench();
  const tunnel = { client: CLIENT, target: '127.0.0.1:22' };
  t.same(bench.after(0, connected('direct', 23.4)), ['client ABABABAB connected: direct, 23 ms']);
  t.same(bench.after(0, { event: 'tunnel-opened', ...tunnel }), ['client ABABABAB opened 127.0.0.1:22']);
  const closed = { event: 'tunnel-closed', ...tunnel, receivedBytes: 1_234_567, sentBytes: 12 } as const;
  t.same(bench.after(0, closed), ['client ABABABAB closed 127.0.0.1:22: 1.2 MiB in, 12 B out']);
  t.same(bench.after(0, { ...closed, code: 'failed', message: 'the other side is shutting down' }), [
    'client ABABABAB closed 127.0.0.1:22: 1.2 MiB in, 12 B out, the other side is shutting down',
  ]);
  const refused = { event: 'tunnel-refused', ...tunnel, code: 'not-allowed', message: 'no rule allows it' } as const;
  t.same(bench.after(0, refused), ['client ABABABAB was refused 127.0.0.1:22: no rule allows it']);
  t.same(bench.after(0, { event: 'client-disconnected', client: CLIENT }), ['client ABABABAB disconnected']);
});

t.test('a client that is relayed at first has a moment to become direct, unless it opens something', async (t) => {
  const bench = new Bench();
  t.same(bench.after(1_000, connected('relayed', 4)), []);
  t.same(bench.after(0, connected('direct', 2)), ['client ABABABAB connected: direct, 2 ms']);
  t.same(bench.after(60_000, connected('relayed', 9), connected('direct', 2)), [], 'later changes are not news');
  bench.after(0, { event: 'client-disconnected', client: CLIENT });
  t.same(bench.after(2_999, connected('relayed', 4)), []);
  t.same(bench.after(1), ['client ABABABAB connected: relayed, 4 ms']);
  bench.after(0, { event: 'client-disconnected', client: CLIENT });
  t.same(bench.after(0, connected('relayed'), { event: 'tunnel-opened', client: CLIENT, target: 'a:1' }), [
    'client ABABABAB connected: relayed',
    'client ABABABAB opened a:1',
  ]);
});

t.test('a client that comes and goes all the time does not fill the terminal', async (t) => {
  const bench = new Bench();
  const lines = Array.from({ length: 500 }, () =>
    bench.after(1, connected('direct', 1), { event: 'client-disconnected', client: CLIENT }),
  ).flat();
  t.ok(lines.length < 250, `${lines.length} of 1000`);
  bench.report.close();
});
