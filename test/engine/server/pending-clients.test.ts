import t from 'tap';
import { PendingClients, type Refusal } from '../../../src/engine/server/pending-clients.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import type { FriendRequest } from '../../../src/tox/messenger.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(7);
const NODE = '192.0.2.1:33445';
const OTHER_NODE = '192.0.2.2:33445';
const STRANGER: Refusal = { reason: 'not-whitelisted', isKnown: false, hasSentSecret: false };
const KNOWN: Refusal = { ...STRANGER, reason: 'expired', isKnown: true };
const HOUR = 3_600_000;

const newKey = (): PublicKey => generateKeyPair(random).publicKey;

const request = (text: string, publicKey = newKey(), source = NODE): FriendRequest => ({
  publicKey,
  source,
  message: Buffer.from(text),
  accept: () => {
    throw new Error('nobody accepts it');
  },
});

/** A client that asks. */
function asks(pending: PendingClients, publicKey: PublicKey, source = NODE, refusal: Refusal = STRANGER): void {
  pending.add(request('', publicKey, source), refusal);
}

function flood(pending: PendingClients, source: string, refusal: Refusal = STRANGER): void {
  for (let count = 1; count <= 1_000; count += 1) asks(pending, newKey(), source, refusal);
}

const textsOf = (pending: PendingClients): string[] => pending.refused.map((one) => one.request.message.toString());
const isPending = (pending: PendingClients, key: PublicKey): boolean =>
  pending.all.some(({ publicKey }) => publicKey.equals(key));
const countOf = (pending: PendingClients, source: string): number =>
  pending.all.filter((one) => one.source === source).length;

t.test('a client is listed with its first and last request, their number and the last reason', async (t) => {
  const clock = new ManualClock();
  const pending = new PendingClients(clock);
  const key = newKey();
  const start = clock.unixTime();
  pending.add(request('', key), { ...STRANGER, reason: 'no-secret' });
  clock.advance(40_000);
  pending.add(request('guess', key), { reason: 'wrong-secret', isKnown: false, hasSentSecret: true });
  t.match(pending.all, [
    {
      publicKey: key,
      reason: 'wrong-secret',
      firstAt: start,
      lastAt: start + 40,
      requests: 2,
      source: NODE,
      hasSentSecret: true,
    },
  ]);
  t.notMatch(JSON.stringify(pending.all), 'guess', 'its message is for nobody');
  pending.delete(key);
  t.same(pending.all, []);
});

t.test('the last message of a client is stored for a minute, and the client for a day', async (t) => {
  const clock = new ManualClock();
  const pending = new PendingClients(clock);
  const key = newKey();
  pending.add(request('first', key), STRANGER);
  clock.advance(30_000);
  pending.add(request('other'), STRANGER);
  pending.add(request('second', key), STRANGER);
  t.same(textsOf(pending), ['other', 'second'].reverse());
  t.ok(pending.refused.every(({ isRecent }) => isRecent));
  clock.advance(60_000);
  t.same(textsOf(pending), ['', '']);
  t.notOk(pending.refused.some(({ isRecent }) => isRecent));
  clock.advance(60_000);
  t.equal(clock.pending, 0, 'and then it has nothing to do');
  clock.advance(24 * HOUR - 121_000);
  t.equal(pending.all.length, 2);
  clock.advance(1_000);
  t.equal(pending.all.length, 0);
});

t.test('a message that was not checked for lack of time is not stored', async (t) => {
  const pending = new PendingClients(new ManualClock());
  pending.add(request('guess'), { reason: 'too-many-guesses', isKnown: false, hasSentSecret: true });
  t.match(pending.refused, [{ request: { message: Buffer.alloc(0) }, isRecent: false }]);
  t.equal(pending.all.length, 1);
});

t.test('a flood of keys displaces no client that asked before, and what comes after it is listed', async (t) => {
  const pending = new PendingClients(new ManualClock());
  const before = Array.from({ length: 32 }, newKey);
  for (const key of before) asks(pending, key);
  flood(pending, NODE);
  t.equal(pending.all.length, 64);
  t.ok(before.every((key) => isPending(pending, key)));
  const after = newKey();
  asks(pending, after);
  t.ok(isPending(pending, after));
  pending.close();
  t.same(pending.all, []);
});

t.test('a flood by one way displaces no client that comes by another, and two floods share the room', async (t) => {
  const pending = new PendingClients(new ManualClock());
  flood(pending, 'others');
  const clients = Array.from({ length: 20 }, newKey);
  for (const key of clients) asks(pending, key, OTHER_NODE);
  flood(pending, 'others');
  flood(pending, 'relay AB');
  t.equal(pending.all.length, 64);
  t.ok(clients.every((key) => isPending(pending, key)));
  t.same([countOf(pending, 'others'), countOf(pending, 'relay AB')], [22, 22]);
});

t.test('a client that comes by a way of its own is listed even if no way has two', async (t) => {
  const clock = new ManualClock();
  const pending = new PendingClients(clock);
  const [oldest, ...others] = Array.from({ length: 64 }, newKey) as [PublicKey, ...PublicKey[]];
  for (const [index, key] of [oldest, ...others].entries()) {
    asks(pending, key, `192.0.2.${index}:33445`);
    clock.advance(60_000);
  }
  asks(pending, others[0] as PublicKey, '192.0.2.1:33445');
  const late = newKey();
  asks(pending, late, '198.51.100.1:33445');
  const again = newKey();
  asks(pending, again, '198.51.100.1:33445');
  t.equal(pending.all.length, 64);
  t.ok(isPending(pending, late) && isPending(pending, again));
  t.notOk(isPending(pending, oldest), 'who asked longest ago gives way');
  t.ok(isPending(pending, others[0] as PublicKey), 'and not who asked first');
});

t.test('a client that asks by several ways counts for the emptier one', async (t) => {
  const pending = new PendingClients(new ManualClock());
  flood(pending, 'others');
  const client = newKey();
  asks(pending, client, 'others');
  asks(pending, client, NODE);
  asks(pending, client, 'others');
  t.equal(countOf(pending, NODE), 1);
  flood(pending, 'others');
  t.match(
    pending.all.find(({ publicKey }) => publicKey.equals(client)),
    { source: NODE, requests: 3 },
  );
});

t.test('strangers displace no key that they cannot make', async (t) => {
  const pending = new PendingClients(new ManualClock());
  flood(pending, NODE);
  const known = Array.from({ length: 60 }, newKey);
  for (const key of known) asks(pending, key, NODE, KNOWN);
  flood(pending, NODE);
  t.ok(known.every((key) => isPending(pending, key)));
  t.equal(pending.all.length, 124);
});

t.test('keys that have the secret, which one client can make, displace no stranger either', async (t) => {
  const pending = new PendingClients(new ManualClock());
  const stranger = newKey();
  asks(pending, stranger);
  flood(pending, NODE, KNOWN);
  t.ok(isPending(pending, stranger));
  t.equal(pending.all.length, 65);
});

t.test('a stranger that becomes known, or is no longer, is listed once', async (t) => {
  const pending = new PendingClients(new ManualClock());
  const key = newKey();
  for (const refusal of [STRANGER, KNOWN, STRANGER]) asks(pending, key, NODE, refusal);
  t.match(pending.all, [{ requests: 3, reason: 'not-whitelisted' }]);
  t.equal(pending.all.length, 1);
});
