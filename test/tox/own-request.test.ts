import t from 'tap';
import { OwnRequest } from '../../src/tox/own-request.js';
import { encodeFriendRequest } from '../../src/tox/packet/friend.js';
import { ManualClock } from '../support/manual-clock.js';

const REQUEST = encodeFriendRequest({ nospam: Buffer.alloc(4, 7), message: Buffer.from('hello') });
/** The same with the id of a connection. */
const OVER_CONNECTION = `${Buffer.concat([Buffer.from([18]), REQUEST.subarray(1)])}`;

function start(data: Buffer | undefined, nodes = 1) {
  const clock = new ManualClock();
  const sent: string[] = [];
  const request = new OwnRequest(clock, data === undefined ? undefined : () => [data]);
  request.attach({
    throughOnion: (bytes) => {
      sent.push(`onion ${bytes}`);
      return nodes;
    },
    overConnection: (bytes) => void sent.push(`connection ${bytes}`),
  });
  return { clock, request, sent };
}

t.test('it is sent when a node stores the friend, and repeated until there is a connection', async (t) => {
  const { clock, request, sent } = start(REQUEST);
  const first: Buffer[] = [];
  request.onReachable((bytes) => void first.push(bytes));
  t.same(first, [REQUEST]);
  clock.advance(1_200);
  t.same(sent, [`onion ${REQUEST}`, `onion ${REQUEST}`]);
  request.stop();
  clock.advance(600_000);
  t.equal(sent.length, 2);
});

t.test('it goes with each connection', async (t) => {
  const { request } = start(REQUEST);
  const sent: string[] = [];
  request.onConnecting((bytes) => void sent.push(`${bytes}`));
  request.onConnecting((bytes) => void sent.push(`${bytes}`));
  t.same(sent, [OVER_CONNECTION, OVER_CONNECTION]);
});

t.test('a friend that is asked later is asked over its connection; one that is not asked gets nothing', async (t) => {
  const { request, sent } = start(undefined);
  const fail = (): void => void t.fail('there is nothing to ask');
  request.onConnecting(fail);
  request.onReachable(fail);
  t.notOk(request.isWanted);
  request.ask(() => [REQUEST]);
  t.ok(request.isWanted);
  t.same(sent, [`connection ${OVER_CONNECTION}`]);
  request.withdraw();
  request.onConnecting(fail);
});

t.test('several requests take turns, also when they change, and all go with a connection', async (t) => {
  const clock = new ManualClock();
  const onion: string[] = [];
  let texts = ['one', 'two'];
  const request = new OwnRequest(clock, () =>
    texts.map((text) => encodeFriendRequest({ nospam: Buffer.alloc(4), message: Buffer.from(text) })),
  );
  const textOf = (data: Buffer): string => data.subarray(5).toString();
  request.attach({ throughOnion: (data) => onion.push(textOf(data)), overConnection: () => {} });
  request.onReachable((data) => void onion.push(textOf(data)));
  clock.advance(1_200);
  t.same(onion, ['one', 'two', 'one']);
  texts = ['three'];
  clock.advance(1_000);
  t.same(onion.splice(3), ['three']);
  texts = ['four', 'five'];
  request.onConnecting((data) => void onion.push(textOf(data)));
  t.same(onion.splice(3), ['four', 'five']);
});

t.test('when no node stores the friend any more, it waits for the next one', async (t) => {
  const { clock, request, sent } = start(REQUEST, 0);
  request.onReachable(() => {});
  clock.advance(600_000);
  t.equal(sent.length, 1);
  request.onReachable(() => {});
  clock.advance(600_000);
  t.equal(sent.length, 2);
});
