import t from 'tap';
import { RecentRefusals } from '../../src/engine/recent-refusals.js';
import type { FriendRequest } from '../../src/engine/tox-stack.js';
import { generateKeyPair, type PublicKey } from '../../src/tox/crypto/keys.js';
import { ManualClock } from '../support/manual-clock.js';
import { SeededRandom } from '../support/seeded-random.js';

const random = new SeededRandom(7);

const request = (text: string, publicKey: PublicKey = generateKeyPair(random).publicKey): FriendRequest => ({
  publicKey,
  message: Buffer.from(text),
  accept: () => {
    throw new Error('nobody accepts it');
  },
});

const textsOf = (refusals: RecentRefusals): string[] => refusals.all.map(({ message }) => message.toString());

t.test('has the last request of each, for a minute', async (t) => {
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

t.test('a flood of keys pushes out the oldest', async (t) => {
  const refusals = new RecentRefusals(new ManualClock());
  for (let count = 1; count <= 100; count += 1) refusals.add(request(String(count)));
  t.equal(textsOf(refusals).length, 32);
  t.equal(textsOf(refusals)[0], '69');
  refusals.close();
  t.same(textsOf(refusals), []);
});
