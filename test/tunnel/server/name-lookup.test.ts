import t from 'tap';
import { type LookupDone, NameLookup } from '../../../src/tunnel/server/name-lookup.js';
import { ManualClock } from '../../support/manual-clock.js';

const ADDRESS = [{ address: '192.0.2.1', family: 4 }];

/** A resolver that answers when the test says so. */
class Resolver {
  readonly clock = new ManualClock();
  readonly asked: string[] = [];
  readonly #waiting = new Map<string, LookupDone>();
  readonly names = new NameLookup(this.clock, {
    hosts: (host, done) => done(host === 'nas.lan' ? ADDRESS : []),
    system: (host, done) => {
      this.asked.push(host);
      this.#waiting.set(host, done);
    },
  });
  readonly answered: string[] = [];

  ask(peerId: string, host: string): () => void {
    return this.names.lookup(peerId, host, () => this.answered.push(`${peerId} ${host}`));
  }

  answer(host: string): void {
    this.#waiting.get(host)?.(null, ADDRESS);
  }
}

t.test('a name that is being looked up is not looked up again for another peer', async (t) => {
  const resolver = new Resolver();
  resolver.ask('a', 'one');
  resolver.ask('b', 'ONE');
  resolver.ask('a', 'two');
  resolver.ask('a', 'three');
  resolver.ask('b', 'three');
  resolver.answer('one');
  resolver.answer('three');
  t.same(resolver.asked, ['one', 'two', 'three']);
  t.same(resolver.answered, ['a one', 'b ONE', 'a three', 'b three']);
  resolver.answer('two');
  resolver.ask('a', 'one');
  t.equal(resolver.asked.length, 4, 'but again after the answer');
});

t.test('lookups of several peers take turns', async (t) => {
  const resolver = new Resolver();
  for (const name of ['a1', 'a2', 'a3', 'a4']) resolver.ask('a', name);
  resolver.ask('b', 'b1');
  for (const name of ['a1', 'a2', 'a3']) resolver.answer(name);
  t.same(resolver.asked, ['a1', 'a2', 'a3', 'b1', 'a4']);
});

t.test('a peer with slow names leaves room for other peers, for a minute', async (t) => {
  const resolver = new Resolver();
  for (const name of ['a1', 'a2', 'a3', 'a4']) resolver.ask('a', name);
  resolver.clock.advance(2_000);
  resolver.answer('a1');
  resolver.answer('a2');
  t.same(resolver.asked, ['a1', 'a2', 'a3'], 'one at a time');
  resolver.ask('b', 'b1');
  t.same(resolver.asked, ['a1', 'a2', 'a3', 'b1']);
  resolver.answer('b1');
  resolver.clock.advance(500);
  resolver.answer('a3');
  resolver.clock.advance(120_000);
  resolver.ask('a', 'a5');
  t.same(resolver.asked, ['a1', 'a2', 'a3', 'b1', 'a4', 'a5']);
});

t.test('a cancelled lookup is not answered, and not begun when no other peer waits for it', async (t) => {
  const resolver = new Resolver();
  const cancels = ['one', 'two', 'three', 'four'].map((name) => resolver.ask('a', name));
  cancels[0]?.();
  cancels[2]?.();
  resolver.answer('one');
  resolver.answer('two');
  t.same(resolver.asked, ['one', 'two', 'four']);
  t.same(resolver.answered, ['a two']);
});

t.test('localhost and literal addresses need no name server', async (t) => {
  const resolver = new Resolver();
  const hosts = ['LocalHost', '127.0.0.1', '127.1', '::1', '[::1]'];
  for (const host of hosts) resolver.ask('a', host);
  t.same(resolver.answered, [], 'the answer comes later');
  resolver.clock.advance(0);
  t.same([resolver.asked, resolver.answered], [[], hosts.map((host) => `a ${host}`)]);
});

t.test('a name of the hosts file does not wait behind names of a silent name server', async (t) => {
  const resolver = new Resolver();
  for (const name of ['one', 'two', 'three']) resolver.ask('a', name);
  resolver.ask('a', 'NAS.lan');
  t.same(resolver.answered, ['a NAS.lan']);
});
