import t from 'tap';
import { type HostLookup, Resolver } from '../../../src/tox/network/resolver.js';
import { ManualClock } from '../../support/manual-clock.js';

const resolverOf = (lookup: HostLookup, clock = new ManualClock()): Resolver => new Resolver({ clock, lookup });
const neverAsked: HostLookup = async () => {
  throw new Error('asked');
};

t.test('a literal address needs no lookup', async (t) => {
  const resolver = resolverOf(neverAsked);
  t.same(String(await resolver.resolve('192.0.2.1', 5)), '192.0.2.1:5');
  t.same(String(await resolver.resolve('2001:db8::1', 5)), '[2001:db8::1]:5');
});

t.test('a name gives every address of both families once', async (t) => {
  const resolver = resolverOf(async () => ['192.0.2.1', '2001:db8::1', '192.0.2.1']);
  t.same(String(await resolver.resolve('node.example', 5)), '192.0.2.1:5,[2001:db8::1]:5');
});

t.test('an unknown name is an error with a code and its cause', async (t) => {
  await t.rejects(resolverOf(neverAsked).resolve('node.example', 5), {
    code: 'unknown-host',
    message: /node\.example/,
    cause: { message: 'asked' },
  });
  await t.rejects(resolverOf(async () => []).resolve('node.example', 5), { code: 'unknown-host' });
});

t.test('the reason why a name has no address is a sentence, not a code of the system', async (t) => {
  const failing = (code: string): HostLookup => {
    return () => Promise.reject(Object.assign(new Error(`getaddrinfo ${code} node.example`), { code }));
  };
  for (const [code, message] of [
    ['ENOTFOUND', 'the name servers do not know node.example'],
    ['EAI_AGAIN', 'no name server answers for node.example'],
    ['EAI_FAIL', 'cannot look up node.example: getaddrinfo EAI_FAIL node.example'],
  ] as const) {
    await t.rejects(resolverOf(failing(code)).resolve('node.example', 5), { code: 'unknown-host', message });
  }
});

t.test('a lookup that takes too long is given up, and its late answer ignored', async (t) => {
  const clock = new ManualClock();
  let answer: (addresses: string[]) => void = () => {};
  const resolver = resolverOf(() => new Promise((resolve) => (answer = resolve)), clock);
  const resolving = resolver.resolve('node.example', 5);
  clock.advance(5000);
  await t.rejects(resolving, { code: 'timed-out' });
  answer(['192.0.2.1']);
});

t.test('a lookup in time leaves no timer behind', async (t) => {
  const clock = new ManualClock();
  await resolverOf(async () => ['192.0.2.1'], clock).resolve('node.example', 5);
  t.equal(clock.pending, 0);
});
