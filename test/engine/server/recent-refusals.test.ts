import t from 'tap';
import { RecentRefusals } from '../../../src/engine/server/recent-refusals.js';
import { generateKeyPair, type PublicKey } from '../../../src/tox/crypto/keys.js';
import type { FriendRequest } from '../../../src/tox/messenger.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(7);

const request = (
  text: string,
  publicKey: PublicKey = generateKeyPair(random).publicKey,
  source = '192.0.2.1:33445',
): FriendRequest => ({
  publicKey,
  source,
  message: Buffer.from(text),
  accept: () => {
    throw new Error('nobody accepts it');
  },
});

const textsOf = (refusals: RecentRefusals): string[] => refusals.all.map(({ message }) => message.toString());

t.test('the last request of each key is remembered for a minute', async (t) => {
  const clock = new ManualClock();
  const refusals = new RecentRefusals(clock);
  const { publicKey } = request('');
  refusals.add(request('first', publicKey));
  clock.advance(30_000);
  refusals.add(request('other'));
  refusals.add(request('second', publicKey));
  t.same(textsOf(refusals), ['other', 'second']);
  refusals.delete(request('whatever', publicKey));
  t.same(textsOf(refusals), ['other']);
  clock.advance(60_000);
  t.same(textsOf(refusals), []);
  clock.advance(60_000);
  t.equal(clock.pending, 0, 'and then has nothing to do');
});

t.test('a flood of keys displaces the oldest request', async (t) => {
  const refusals = new RecentRefusals(new ManualClock());
  for (let count = 1; count <= 100; count += 1) refusals.add(request(String(count)));
  t.equal(textsOf(refusals).length, 32);
  t.equal(textsOf(refusals)[0], '69');
  refusals.close();
  t.same(textsOf(refusals), []);
});

t.test('a flood by one way displaces no request that came by another, and two floods share the room', async (t) => {
  const refusals = new RecentRefusals(new ManualClock());
  const flood = (source: string): void => {
    for (let count = 1; count <= 100; count += 1) refusals.add(request(source, undefined, source));
  };
  const countOf = (text: string): number => textsOf(refusals).filter((one) => one === text).length;
  refusals.add(request('client', undefined, 'relay 1'));
  refusals.add(request('other client', undefined, '192.0.2.2:33445'));
  flood('others');
  t.equal(textsOf(refusals).length, 32);
  t.same(textsOf(refusals).slice(0, 2), ['client', 'other client']);
  flood('relay 2');
  t.equal(textsOf(refusals).length, 32);
  t.same(textsOf(refusals).slice(0, 2), ['client', 'other client']);
  t.same([countOf('others'), countOf('relay 2')], [15, 15]);
});
