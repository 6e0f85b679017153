import t from 'tap';
import type { FriendConnection } from '../../src/tox/friend/friend-connection.js';
import { FriendBook, type FriendRequest } from '../../src/tox/friend-book.js';
import { ManualClock } from '../support/manual-clock.js';
import { keyOf } from '../support/nodes.js';

const OWN = keyOf('00');
const [ALICE, BOB] = [keyOf('0a'), keyOf('0b')];
const HELLO = Buffer.from('hello');

/** Above a friend list that takes notes. */
function start() {
  const events: string[] = [];
  const known = new Set<string>();
  const book = new FriendBook({
    clock: new ManualClock(),
    ownKey: OWN,
    stack: () => ({
      ownUdp: { kind: 'untried' },
      hasNetwork: true,
      friends: {
        add: ({ short, hex }, _handlers, persistence) => {
          if (known.has(hex)) throw new RangeError('a friend already');
          known.add(hex);
          events.push(`add ${short} ${persistence}`);
          return {} as FriendConnection;
        },
        remove: ({ short, hex }) => {
          known.delete(hex);
          events.push(`remove ${short}`);
        },
      },
    }),
  });
  return { book, taken: () => events.splice(0) };
}

t.test('whom we ask is sought eagerly, who knows us comes by itself', async (t) => {
  const { book, taken } = start();
  book.add(ALICE, HELLO);
  book.add(BOB, undefined);
  t.same(taken(), [`add ${ALICE.short} eager`, `add ${BOB.short} patient`]);
});

t.test('neither ourselves nor a friend can become one', async (t) => {
  const { book } = start();
  t.throws(() => book.add(OWN, HELLO), RangeError);
  book.add(ALICE, HELLO);
  t.throws(() => book.add(ALICE, undefined), RangeError);
});

t.test('a friend that was removed, and one that has come in its place, are two', async (t) => {
  const { book, taken } = start();
  const first = book.add(ALICE, undefined);
  book.remove(first);
  book.add(ALICE, undefined);
  taken();
  book.remove(first);
  t.same(taken(), []);
  t.throws(() => book.add(ALICE, undefined), RangeError, 'the second is still there');
});

t.test('who asks to be a friend becomes one when that is accepted, and only once', async (t) => {
  const { book, taken } = start();
  const requests: FriendRequest[] = [];
  book.onRequest((request) => requests.push(request));
  book.offer(ALICE, HELLO, 'others');
  book.offer(ALICE, HELLO, 'others');
  t.same(taken(), []);
  t.same(requests[0]?.message, HELLO);
  t.equal(requests[0]?.accept(), requests[1]?.accept());
  t.same(taken(), [`add ${ALICE.short} patient`]);
});

t.test('after close the same may come again', async (t) => {
  const { book, taken } = start();
  const friend = book.add(ALICE, undefined);
  book.close();
  taken();
  book.remove(friend);
  t.same(taken(), [], 'and who was there before is nobody');
});
