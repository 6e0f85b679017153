import t from 'tap';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import { ConnectionWatch } from '../../../src/engine/network/connection-watch.js';
import type { ConnectionPath } from '../../../src/tox/connection-facts.js';
import { ManualClock } from '../../support/manual-clock.js';
import { direct, factsOf, none, relayed } from '../support/facts.js';

class Bench {
  readonly clock = new ManualClock();
  readonly friend = {
    facts: factsOf(direct()),
    get path() {
      return this.facts.path;
    },
  };
  readonly lines: string[] = [];
  readonly watch: ConnectionWatch;

  constructor(news: 'info' | 'debug' = 'info') {
    const log: Logger = { ...silentLogger, info: this.#say('info'), debug: this.#say('debug') };
    this.watch = new ConnectionWatch(
      { clock: this.clock, log, friend: this.friend, nameNow: () => 'laptop' },
      { news },
    );
  }

  #say(level: string): (text: string) => void {
    return (text) => void this.lines.push(`${level} ${text.replace('laptop: ', '')}`);
  }

  become(path: ConnectionPath): string[] {
    this.friend.facts = factsOf(path);
    this.clock.advance(1_000);
    return this.lines.splice(0);
  }
}

t.test('an unchanged path is not logged again', async (t) => {
  const bench = new Bench();
  bench.watch.begin();
  bench.clock.advance(59_000);
  t.same(bench.lines, []);
  bench.watch.end();
});

t.test('a change between direct and relayed is logged, and so is a reason that has become certain', async (t) => {
  const bench = new Bench();
  bench.watch.begin();
  t.match(bench.become(relayed('being-tried')), [/^info now relayed \(being-tried\)/]);
  t.match(bench.become(relayed('udp-blocked')), [/^info now relayed \(udp-blocked\)/]);
  t.match(bench.become(direct('1.2.3.4:5')), [/^info now direct to 1\.2\.3\.4:5$/]);
  bench.watch.end();
});

t.test('another address, another relay, or a moment without a path is logged at debug level', async (t) => {
  const bench = new Bench();
  bench.watch.begin();
  t.match(bench.become(direct('1.2.3.4:6')), [/^debug now direct to 1\.2\.3\.4:6$/]);
  t.match(bench.become(none('no-route')), [/^debug now not connected \(no-route\)/]);
  t.match(bench.become(direct()), [/^debug now direct/]);
  bench.watch.end();
});

t.test('a path that flaps is logged a few times, and then once a minute', async (t) => {
  const bench = new Bench();
  bench.watch.begin();
  const told: string[] = [];
  for (let second = 0; second < 600; second += 2) {
    told.push(...bench.become(relayed('punching-failed')), ...bench.become(direct()));
  }
  const changes = told.filter((line) => line.includes(' now '));
  t.equal(changes.length, 600, 'each change is told');
  const news = changes.filter((line) => line.startsWith('info'));
  t.ok(news.length >= 12 && news.length <= 15, `${news.length} news in ten minutes`);
  bench.watch.end();
});

t.test('a server logs all of it at debug level', async (t) => {
  const bench = new Bench('debug');
  bench.watch.begin();
  t.match(bench.become(relayed('being-tried')), [/^debug now relayed/]);
  bench.watch.end();
});

t.test('a summary is logged once a minute', async (t) => {
  const bench = new Bench();
  bench.watch.begin();
  bench.clock.advance(180_000);
  t.equal(bench.lines.length, 3);
  t.match(bench.lines[0], /^debug direct for 5s, rtt 12\.3 ms, in .*, out .*, 3 resent$/);
  bench.watch.end();
});

t.test('the end is logged once, with its cause and the last path', async (t) => {
  const bench = new Bench();
  bench.watch.begin();
  const lastError = { text: 'killed by the peer', since: 1, age: 0 };
  bench.friend.facts = factsOf(none('searching'), { lastError });
  bench.watch.end();
  t.match(bench.lines, [/^debug ended \(killed by the peer\), last direct for 5s, rtt/]);
  bench.watch.end();
  bench.clock.advance(200_000);
  t.equal(bench.lines.length, 1);
  t.equal(bench.clock.pending, 0);
});

t.test('an old error is not taken for the cause of the end', async (t) => {
  const bench = new Bench();
  bench.watch.begin();
  const lastError = { text: 'handshake timed out', since: 1, age: 60_000 };
  bench.friend.facts = factsOf(none('searching'), { lastError });
  bench.watch.end();
  t.match(bench.lines, [/^debug ended, last direct/]);
});
