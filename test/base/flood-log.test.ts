import t from 'tap';
import { type FloodLine, FloodLog } from '../../src/base/flood-log.js';
import { silentLogger } from '../../src/base/logger.js';
import { ManualClock } from '../support/manual-clock.js';

const LIMITS = { each: { atOnce: 4, aMinute: 2 }, all: { atOnce: 1_000, aMinute: 1_000 } };

class Said {
  readonly clock = new ManualClock();
  readonly lines: string[] = [];
  readonly debugged: string[] = [];
  readonly log: FloodLog;

  constructor(limits?: ConstructorParameters<typeof FloodLog>[1]) {
    const logger = {
      ...silentLogger,
      info: (text: string) => void this.lines.push(text),
      warn: (text: string) => void this.lines.push(`warning: ${text}`),
      debug: (text: string) => void this.debugged.push(text),
    };
    this.log = new FloodLog({ clock: this.clock, log: logger }, limits);
  }

  say(source: string, count = 1, more: Partial<FloodLine> = {}): void {
    for (let index = 1; index <= count; index += 1) {
      const line = { source, name: source, kind: 'tunnel opened', level: 'info', text: `${source} ${index}` } as const;
      this.log.say({ ...line, ...more });
    }
  }

  /** What was said since it was asked last. */
  get news(): string[] {
    return this.lines.splice(0);
  }
}

t.test('some lines are logged as they are, and a minute later the others are summarized by kind', async (t) => {
  const said = new Said(LIMITS);
  said.say('A', 7);
  said.say('A', 2, { kind: 'request refused' });
  said.say('A', 1, { kind: 'tunnel ended' });
  t.same(said.news, ['A 1', 'A 2', 'A 3', 'A 4']);
  t.equal(said.debugged.length, 6, 'debug messages show everything');
  said.clock.advance(59_999);
  t.same(said.news, []);
  said.clock.advance(1);
  t.same(said.news, ['A: in the last minute also 3 tunnels opened, 2 requests refused, 1 tunnel ended']);
});

t.test('a flood costs a line per minute while it lasts, and then each line is logged again', async (t) => {
  const said = new Said(LIMITS);
  for (let second = 0; second < 600; second += 1) {
    said.say('A', 10);
    said.clock.advance(1_000);
  }
  const lines = said.news;
  t.equal(lines.length, 4 + 10);
  t.equal(lines.at(-1), 'A: in the last minute also 600 tunnels opened');
  const counted = lines.slice(4).reduce((sum, line) => sum + Number(/(\d+) tunnels/.exec(line)?.[1]), 4);
  t.equal(counted, 6_000, 'none is forgotten');
  said.clock.advance(60_000);
  t.same(said.news, []);
  t.equal(said.clock.pending, 0);
  said.say('A');
  t.same(said.news, ['A 1']);
});

t.test('a source slightly above its budget is summarized until a minute is within it', async (t) => {
  const said = new Said(LIMITS);
  said.say('A', 6);
  t.equal(said.news.length, 4);
  said.clock.advance(60_000);
  t.match(said.news, [/also 2 tunnels opened$/]);
  said.say('A', 3);
  t.equal(said.news.length, 2, 'what has come back in the meantime');
});

t.test('a flood of one source does not silence another', async (t) => {
  const said = new Said();
  for (let minute = 0; minute < 10; minute += 1) {
    said.say('A', 10_000);
    said.say('B', 20);
    said.clock.advance(60_000);
  }
  const lines = said.news;
  t.equal(lines.filter((line) => line.startsWith('B ')).length, 200, 'each line of the other');
  t.equal(lines.filter((line) => line.startsWith('A')).length, 200 + 10);
});

t.test('a hundred tunnels are logged one by one, and then ten per minute', async (t) => {
  const said = new Said();
  said.say('A', 100);
  said.say('A', 100, { kind: 'tunnel ended' });
  for (let minute = 0; minute < 60; minute += 1) {
    said.clock.advance(60_000);
    said.say('A', 10);
    said.say('A', 10, { kind: 'tunnel ended' });
  }
  const lines = said.news;
  t.equal(lines.length, 200 + 60 * 20);
  t.notOk(lines.some((line) => line.includes('also')));
});

t.test('many sources share a limit, are summarized in some lines, and every event is counted', async (t) => {
  const said = new Said();
  for (let source = 0; source < 5_000; source += 1) said.say(`S${source}`, 2);
  t.equal(said.news.length, 500);
  said.clock.advance(60_000);
  const sums = said.news;
  t.equal(sums.length, 33);
  t.equal(sums.at(-1), 'others: in the last minute also 9436 tunnels opened');
  t.equal(
    sums.reduce((sum, line) => sum + Number(/also (\d+) /.exec(line)?.[1]), 0),
    9_500,
  );
  for (let minute = 0; minute < 60; minute += 1) {
    for (let source = 0; source < 1_000; source += 1) said.say(`T${minute}-${source}`);
    said.clock.advance(60_000);
  }
  const lines = said.news.length;
  t.ok(lines <= 60 * (200 + 33), `${lines} lines in an hour of new ones`);
});

t.test('a summary has the most severe level of its lines', async (t) => {
  const said = new Said(LIMITS);
  said.say('A', 5);
  said.say('A', 1, { level: 'warn', kind: 'key refused' });
  said.say('A', 1);
  said.clock.advance(60_000);
  t.equal(said.news.at(-1), 'warning: A: in the last minute also 2 tunnels opened, 1 key refused');
});

t.test('closing writes the pending summaries and stops', async (t) => {
  const said = new Said(LIMITS);
  said.say('A', 9);
  said.clock.advance(12_500);
  said.log.close();
  t.equal(said.news.at(-1), 'A: in the last 13 s also 5 tunnels opened');
  said.say('A', 9);
  t.same(said.news, []);
  t.equal(said.clock.pending, 0);
});
