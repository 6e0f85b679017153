import t from 'tap';
import { RequestLimiter } from '../../../../src/tox/dht/rpc/request-limiter.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { keyOf, named, node } from '../../../support/nodes.js';

const TARGET = keyOf('0f');
const [NODE, FRIEND] = [node('0a', '8.8.8.8'), node('0b', '8.8.4.4')];

function start() {
  const clock = new ManualClock();
  const requests: string[] = [];
  const noted: string[] = [];
  const limiter = new RequestLimiter({
    clock,
    isReachable: ({ endpoint }) => endpoint.family === 4,
    request: (info, target) => requests.push(`${named(info)} about ${target.hex.slice(0, 2)}`),
    onAsked: (info) => noted.push(named(info)),
    isGood: () => true,
    isSought: (key) => key.equals(FRIEND.publicKey),
  });
  return { clock, requests, noted, limiter };
}

t.test('a request goes out, and is counted', async (t) => {
  const { requests, noted, limiter } = start();
  limiter.ask(NODE, TARGET);
  t.same(requests, ['0a@8.8.8.8:33445 about 0F']);
  t.same(noted, ['0a@8.8.8.8:33445']);
});

t.test('a node that cannot be reached is not asked', async (t) => {
  const { requests, noted, limiter } = start();
  limiter.ask(node('0a', '2001:db8::1'), TARGET);
  t.same([...requests, ...noted], []);
});

t.test('requests are limited to 500 a second, in bursts of 2000', async (t) => {
  const { clock, requests, limiter } = start();
  for (let index = 0; index < 5000; index += 1) limiter.ask(NODE, TARGET);
  t.equal(requests.length, 2000);
  clock.advance(1000);
  for (let index = 0; index < 5000; index += 1) limiter.ask(NODE, TARGET);
  t.equal(requests.length, 2500);
});

t.test('silent nodes show that UDP does not pass, and an answer shows that it does', async (t) => {
  const { clock, limiter } = start();
  for (let index = 0; index < 3; index += 1) limiter.ask(NODE, TARGET);
  clock.advance(4000);
  t.same(limiter.udpHealth, { kind: 'silent', since: 0 });
  limiter.answered(NODE);
  t.same(limiter.udpHealth, { kind: 'answers', since: 4000 });
});

t.test('a node that we search for may be behind a NAT and shows nothing about our UDP', async (t) => {
  const { clock, requests, limiter } = start();
  for (let index = 0; index < 10; index += 1) limiter.ask(FRIEND, TARGET);
  clock.advance(60_000);
  t.equal(requests.length, 10);
  t.same(limiter.udpHealth, { kind: 'untried' });
});
