import t from 'tap';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { FriendRequests } from '../../../src/tox/friend/friend-requests.js';
import { decodeFriendRequest, encodeFriendRequest, requestForConnection } from '../../../src/tox/packet/friend.js';
import { mutations } from '../../support/fuzz.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const nospam = Buffer.from('4C762C7D', 'hex');
const sender = generateKeyPair(new SeededRandom(1)).publicKey;
const request = (message: string, to = nospam): Buffer =>
  encodeFriendRequest({ nospam: to, message: Buffer.from(message) });

function setUp(): { clock: ManualClock; requests: FriendRequests; messages: string[] } {
  const clock = new ManualClock();
  const messages: string[] = [];
  const onRequest = (_: unknown, message: Buffer): void => void messages.push(message.toString());
  return { clock, requests: new FriendRequests({ clock, onRequest }, nospam), messages };
}

t.test('a request for our nospam reaches the application', async (t) => {
  const { requests, messages } = setUp();
  requests.handle(sender, request('secret\0'), 'others');
  t.same(messages, ['secret\0']);
});

t.test('a request for another nospam is dropped', async (t) => {
  const { requests, messages } = setUp();
  requests.handle(sender, request('secret\0', Buffer.alloc(4)), 'others');
  t.same(messages, []);
});

t.test('copies of a request are one request, and a later repetition is a new one', async (t) => {
  const { clock, requests, messages } = setUp();
  requests.handle(sender, request('a'), 'others');
  requests.handle(sender, request('a'), 'others');
  t.same(messages, ['a']);
  clock.advance(3_000);
  requests.handle(sender, request('a'), 'others');
  t.same(messages, ['a', 'a']);
});

t.test('a request over a connection counts, also right after the same one through the onion', async (t) => {
  const { requests, messages } = setUp();
  requests.handle(sender, request('a'), 'others');
  requests.handle(sender, requestForConnection(request('a')), 'friend');
  requests.handle(sender, requestForConnection(request('a')), 'friend');
  t.same(messages, ['a', 'a']);
});

t.test('the right secret right after a wrong one from the same key is seen at once', async (t) => {
  const { requests, messages } = setUp();
  requests.handle(sender, request('wrong\0'), 'others');
  requests.handle(sender, request('right\0'), 'others');
  t.same(messages, ['wrong\0', 'right\0']);
});

t.test('a request without message, or longer than 921 bytes, is dropped', async (t) => {
  t.equal(decodeFriendRequest(Buffer.concat([Buffer.from([0x20]), nospam])), undefined);
  t.equal(decodeFriendRequest(Buffer.concat([Buffer.from([0x20]), nospam, Buffer.alloc(922)])), undefined);
  t.ok(decodeFriendRequest(Buffer.concat([Buffer.from([0x20]), nospam, Buffer.alloc(921)])));
  t.throws(() => request(''), RangeError);
});

t.test('hostile bytes never throw', async (t) => {
  const { requests } = setUp();
  for (const bytes of mutations(7, [request('secret\0')], 2_000)) requests.handle(sender, bytes, 'others');
  t.pass();
});
