import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import type { ConnectionEvent } from '../../../src/base/connection-event.js';
import { ServerError } from '../../../src/engine/client/server-error.js';
import { ConnectionEvents, type WatchedFriend } from '../../../src/engine/network/connection-events.js';
import type { ConnectionPath } from '../../../src/tox/connection-facts.js';
import { direct, factsOf, none, relayed } from '../support/facts.js';

class Bench {
  friend: WatchedFriend = { stage: 'bootstrapping', path: none('no-network'), facts: factsOf(none('no-network')) };
  ping = (): Promise<number> => Promise.reject(new Error('offline'));
  readonly events = new ConnectionEvents({ friend: () => this.friend, ping: () => this.ping() });
  readonly #told: ConnectionEvent[] = [];

  constructor() {
    this.events.watch((event) => this.#told.push(event));
  }

  /** @returns what it tells then */
  become(stage: WatchedFriend['stage'], path: ConnectionPath = none('searching')): ConnectionEvent[] {
    this.friend = { stage, path, facts: factsOf(path) };
    this.events.update();
    return this.taken();
  }

  taken(): ConnectionEvent[] {
    return this.#told.splice(0);
  }
}

t.test('each stage is told once, when it begins', async (t) => {
  const bench = new Bench();
  t.same(bench.taken(), [{ event: 'bootstrapping' }], 'where the connection stands at the start');
  t.same(bench.become('bootstrapping'), []);
  t.same(bench.become('searching'), [{ event: 'searching' }]);
  t.same(bench.become('searching'), []);
  t.same(bench.become('asking'), [{ event: 'asking' }]);
  t.same(bench.become('punching'), [{ event: 'punching' }]);
  t.same(bench.become('asking'), [{ event: 'asking' }], 'the address was wrong');
});

t.test('a session that has only begun is no connection yet', async (t) => {
  const bench = new Bench();
  bench.become('punching');
  t.same(bench.become(undefined, direct()), []);
  bench.events.noteOnline();
  t.same(bench.taken(), [{ event: 'connected', path: 'direct', rttMs: 12.34 }]);
});

t.test('a change between direct and relayed is told, another address or a moment without a path is not', async (t) => {
  const bench = new Bench();
  bench.become(undefined, relayed('being-tried'));
  bench.events.noteOnline();
  bench.taken();
  t.same(bench.become(undefined, relayed('punching-failed')), []);
  t.same(bench.become(undefined, direct('192.0.2.1:1')), [{ event: 'connected', path: 'direct', rttMs: 12.34 }]);
  t.same(bench.become(undefined, direct('192.0.2.1:2')), []);
  t.same(bench.become(undefined, none('no-route')), []);
  t.same(bench.become(undefined, direct()), []);
});

t.test('a round trip that was not measured is left out', async (t) => {
  const bench = new Bench();
  bench.friend = { stage: undefined, path: direct(), facts: factsOf(direct(), { rtt: undefined }) };
  bench.taken();
  bench.events.noteOnline();
  t.same(bench.taken(), [{ event: 'connected', path: 'direct' }]);
});

t.test('a lost connection is told, and then how far the search for it is', async (t) => {
  const bench = new Bench();
  bench.become(undefined, direct());
  bench.events.noteOnline();
  bench.taken();
  bench.friend = { stage: 'punching', path: none('connecting'), facts: factsOf(none('connecting')) };
  bench.events.noteOffline();
  t.same(bench.taken(), [{ event: 'disconnected' }, { event: 'punching' }]);
  bench.become(undefined, direct());
  bench.events.noteOnline();
  t.same(bench.taken(), [{ event: 'connected', path: 'direct', rttMs: 12.34 }]);
});

t.test('a server that was found and does not answer refuses; every other reason is one to wait', async (t) => {
  const bench = new Bench();
  bench.taken();
  bench.events.noteWaiting(new ServerError('no-network', 'no node'));
  bench.events.noteWaiting(new ServerError('not-admitted', 'not admitted'));
  bench.events.noteError(new ServerError('not-admitted', 'not admitted'));
  t.same(bench.taken(), [
    { event: 'waiting', code: 'no-network', message: 'no node' },
    { event: 'refused', code: 'not-admitted', message: 'not admitted' },
    { event: 'error', code: 'not-admitted', message: 'not admitted' },
  ]);
});

t.test('who comes later is told where the connection stands, and not what is past', async (t) => {
  const bench = new Bench();
  bench.become('asking');
  const told: ConnectionEvent[] = [];
  const end = bench.events.watch((event) => told.push(event));
  bench.become('punching');
  end();
  bench.become('asking');
  t.same(told, [{ event: 'asking' }, { event: 'punching' }]);
});

t.test('a round trip that a ping has measured is told if there was none', async (t) => {
  const bench = new Bench();
  bench.friend = { stage: undefined, path: direct(), facts: factsOf(direct(), { rtt: undefined }) };
  bench.ping = async () => 23.456;
  bench.taken();
  bench.events.noteOnline();
  t.same(bench.taken(), [{ event: 'connected', path: 'direct' }]);
  await setImmediate();
  t.same(bench.taken(), [{ event: 'connected', path: 'direct', rttMs: 23.46 }]);
});
