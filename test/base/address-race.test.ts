import type { Socket } from 'node:net';
import t from 'tap';
import { AddressRace, type Attempt } from '../../src/base/address-race.js';
import { ManualClock } from '../support/manual-clock.js';
import { SlowConnections } from '../tunnel/support/slow-connections.js';

const [A4, B4, C4, A6, B6] = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', '2001:db8::2'];

function race(...addresses: string[]) {
  const clock = new ManualClock();
  const net = new SlowConnections();
  const outcomes: string[] = [];
  const room = { left: 3, take: () => room.left > 0 && room.left-- > 0, release: () => void room.left++ };
  const attempt: Attempt<{ readonly address: string }, Socket> = ({ address }, { onConnected, onFailed }) => {
    const socket = net.connect(address).once('error', onFailed);
    socket.once('connect', () => onConnected(socket));
    return () =>
      socket
        .removeAllListeners()
        .on('error', () => {})
        .destroy();
  };
  const tried = addresses.map((address) => ({ address }));
  const running = new AddressRace({ clock, attempt, room }, tried, {
    onConnected: (_socket, { address }) => outcomes.push(address),
    onFailed: (errors) => outcomes.push(errors.map(({ message }) => message).join()),
  });
  return { clock, net, outcomes, running, room };
}

t.test('the next attempt begins after 250 ms, while the previous one continues and may win', async (t) => {
  const { clock, net, outcomes } = race(A6, A4);
  t.same(net.tried, [A6]);
  clock.advance(249);
  t.same(net.tried, [A6]);
  clock.advance(1);
  t.same(net.tried, [A6, A4]);
  clock.advance(5_000);
  net.succeed(A6);
  t.same(outcomes, [A6]);
  t.same(net.open, [A6], 'the others are closed');
  t.equal(clock.pending, 0);
});

t.test('after a failed attempt the next one begins at once', async (t) => {
  const { net, clock, outcomes } = race(A6, A4, B4);
  net.fail(A6, 'ENETUNREACH');
  t.same(net.tried, [A6, A4]);
  clock.advance(249);
  t.same(net.tried, [A6, A4], 'and the one after it waits for the full time');
  net.succeed(A4);
  t.same(outcomes, [A4]);
  t.same(net.open, [A4]);
});

t.test('address families alternate, beginning with that of the first address', async (t) => {
  const { clock, net } = race(A6, B6, A4, B4);
  clock.advance(10_000);
  t.same(net.tried, [A6, A4, B6, B4]);
});

t.test('at most four attempts run at once', async (t) => {
  const { clock, net } = race(A4, A6, B4, B6, C4);
  clock.advance(10_000);
  t.same(net.tried, [A4, A6, B4, B6]);
  net.fail(A6, 'ECONNREFUSED');
  t.same(net.tried, [A4, A6, B4, B6, C4]);
});

t.test('when all attempts have failed, onFailed is called once with all errors', async (t) => {
  const { clock, net, outcomes } = race(A6, A4);
  clock.advance(250);
  net.fail(A4, 'ECONNREFUSED');
  t.same(outcomes, []);
  net.fail(A6, 'ETIMEDOUT');
  t.same(outcomes, ['ECONNREFUSED,ETIMEDOUT']);
  t.equal(clock.pending, 0);
});

t.test('a cancelled race begins no attempt and calls no handler', async (t) => {
  const { clock, net, outcomes, running } = race(A6, A4);
  running.cancel();
  clock.advance(1_000);
  net.succeed(A6);
  net.fail(A6, 'ECONNRESET');
  t.same([net.tried, net.open, outcomes], [[A6], [], []]);
});

t.test(
  'without a descriptor for an attempt beside the first, the next begins when there is one, or when that one has failed',
  async (t) => {
    const { clock, net, room } = race(A6, A4, B4);
    room.left = 0;
    clock.advance(10_000);
    t.same(net.tried, [A6]);
    room.left = 1;
    clock.advance(250);
    t.same(net.tried, [A6, A4]);
    clock.advance(10_000);
    t.same(net.tried, [A6, A4]);
    net.fail(A6, 'ECONNREFUSED');
    t.same(net.tried, [A6, A4, B4]);
  },
);

t.test('the descriptors of attempts are released, whichever wins', async (t) => {
  for (const end of ['wins', 'fail', 'cancelled']) {
    const { clock, net, running, room } = race(A4, A6, B4, B6);
    clock.advance(10_000);
    t.equal(room.left, 0);
    if (end === 'wins') net.succeed(B4);
    else if (end === 'fail') for (const address of [A4, A6, B4, B6]) net.fail(address, 'ECONNREFUSED');
    else running.cancel();
    t.equal(room.left, 3, end);
    t.equal(clock.pending, 0);
  }
});
