import t from 'tap';
import type { FriendConnection } from '../../src/tox/friend/friend-connection.js';
import { type FriendRequest, Messenger } from '../../src/tox/messenger.js';
import type { CryptoConnection } from '../../src/tox/net-crypto/crypto-connection.js';
import { ManualClock } from '../support/manual-clock.js';
import { keyOf } from '../support/nodes.js';

const OWN = keyOf('00');
const [ALICE, BOB] = [keyOf('0a'), keyOf('0b')];
const HELLO = Buffer.from('hello');

/** Above a friend list that takes notes. */
function start() {
  const events: string[] = [];
  const known = new Set<string>();
  let connect = (): void => {};
  const messenger = new Messenger({
    clock: new ManualClock(),
    ownKey: OWN,
    stack: () => ({
      ownUdp: { kind: 'untried' },
      hasNetwork: true,
      friends: {
        add: ({ short, hex }, handlers, persistence) => {
          if (known.has(hex)) throw new RangeError('a friend already');
          known.add(hex);
          events.push(`add ${short} ${persistence}`);
          const connection = {
            lastReceivedAt: -700,
            sendLossless: (data: Buffer) => void events.push(`send ${data[0]} ${data.subarray(1)}`),
          };
          connect = () => handlers.onConnecting(connection as unknown as CryptoConnection);
          return { connection } as unknown as FriendConnection;
        },
        remove: ({ short, hex }) => {
          known.delete(hex);
          events.push(`remove ${short}`);
        },
      },
    }),
  });
  return { messenger, taken: () => events.splice(0), connect: () => connect() };
}

t.test('a friend that we ask is searched for eagerly, a friend that knows us patiently', async (t) => {
  const { messenger, taken } = start();
  messenger.add(ALICE, () => [HELLO]);
  messenger.add(BOB, undefined);
  t.same(taken(), [`add ${ALICE.short} eager`, `add ${BOB.short} patient`]);
});

t.test('the silence of a friend counts from the last packet of its session', async (t) => {
  const { messenger } = start();
  t.equal(messenger.add(ALICE, undefined).silence, 700);
});

t.test('neither our own key nor that of a friend can be added', async (t) => {
  const { messenger } = start();
  t.throws(() => messenger.add(OWN, () => [HELLO]), RangeError);
  messenger.add(ALICE, () => [HELLO]);
  t.throws(() => messenger.add(ALICE, undefined), RangeError);
});

t.test('a removed friend and a new one with the same key are two', async (t) => {
  const { messenger, taken } = start();
  const first = messenger.add(ALICE, undefined);
  messenger.remove(first);
  messenger.add(ALICE, undefined);
  taken();
  messenger.remove(first);
  t.same(taken(), []);
  t.throws(() => messenger.add(ALICE, undefined), RangeError, 'the second is still there');
});

t.test('a stranger becomes a friend when its request is accepted, and only once', async (t) => {
  const { messenger, taken } = start();
  const requests: FriendRequest[] = [];
  messenger.onRequest((request) => requests.push(request));
  messenger.offer(ALICE, HELLO, 'others');
  messenger.offer(ALICE, HELLO, 'others');
  t.same(taken(), []);
  t.same(requests[0]?.message, HELLO);
  t.equal(requests[0]?.accept(), requests[1]?.accept());
  t.same(taken(), [`add ${ALICE.short} patient`]);
});

t.test('a friend who has asked us is asked over its connection, and stays one friend', async (t) => {
  const { messenger, taken, connect } = start();
  const requests: FriendRequest[] = [];
  messenger.onRequest((request) => requests.push(request));
  messenger.offer(ALICE, HELLO, 'others');
  const friend = requests[0]?.accept();
  // It need not be established yet.
  connect();
  taken();
  t.equal(
    messenger.add(ALICE, () => [HELLO]),
    friend,
  );
  t.same(taken(), [`send 18 ${HELLO.subarray(1)}`]);
  messenger.offer(ALICE, HELLO, 'friend');
  t.equal(requests.length, 1, 'its repeated request is nothing new');
});

t.test('a friend whom we have asked may ask us', async (t) => {
  const { messenger } = start();
  const requests: FriendRequest[] = [];
  messenger.onRequest((request) => requests.push(request));
  const friend = messenger.add(ALICE, () => [HELLO]);
  messenger.offer(ALICE, HELLO, 'friend');
  t.equal(requests[0]?.accept(), friend);
});

t.test('a friend of both sides is removed when neither needs it', async (t) => {
  for (const [first, second] of [
    ['asked', 'accepted'],
    ['accepted', 'asked'],
  ] as const) {
    const { messenger, taken } = start();
    messenger.onRequest((request) => request.accept());
    const friend = messenger.add(ALICE, () => [HELLO]);
    messenger.offer(ALICE, HELLO, 'friend');
    taken();
    messenger.remove(friend, first);
    t.same(taken(), []);
    messenger.remove(friend, second);
    t.same(taken(), [`remove ${ALICE.short}`]);
  }
});

t.test('after close the same key can be added again', async (t) => {
  const { messenger, taken } = start();
  const friend = messenger.add(ALICE, undefined);
  messenger.close();
  taken();
  messenger.remove(friend);
  t.same(taken(), [], 'and who was there before is nobody');
});
