import t from 'tap';
import type { DhtSearch } from '../../../src/tox/dht/search/search.js';
import { FriendWhereabouts } from '../../../src/tox/friend/friend-whereabouts.js';
import { ManualClock } from '../../support/manual-clock.js';
import { keyOf } from '../../support/nodes.js';

const [FIRST, SECOND] = [keyOf('01'), keyOf('02')];

function start() {
  const clock = new ManualClock();
  const searches: string[] = [];
  const facts = { isConfirmed: false, expired: 0 };
  const whereabouts = new FriendWhereabouts({
    clock,
    search: ({ hex }) => {
      searches.push(hex.slice(0, 2));
      return { close: () => searches.splice(searches.indexOf(hex.slice(0, 2)), 1) } as unknown as DhtSearch;
    },
    isConfirmed: () => facts.isConfirmed,
    onExpired: () => {
      facts.expired += 1;
    },
  });
  return { clock, searches, facts, whereabouts };
}

t.test('a DHT key is searched for once, and another one replaces it', async (t) => {
  const { searches, whereabouts } = start();
  whereabouts.locate(FIRST);
  whereabouts.locate(FIRST);
  t.same(searches, ['01']);
  whereabouts.locate(SECOND);
  t.same(searches, ['02']);
  t.ok(whereabouts.dhtKey?.equals(SECOND));
});

t.test('a key that is not announced again for two minutes is forgotten', async (t) => {
  const { clock, searches, facts, whereabouts } = start();
  whereabouts.locate(FIRST);
  clock.advance(100_000);
  whereabouts.locate(FIRST);
  clock.advance(121_999);
  t.same(searches, ['01']);
  clock.advance(1);
  t.same([searches, facts.expired, whereabouts.dhtKey], [[], 1, undefined]);
});

t.test('a key confirmed by a connection expires two minutes after its end', async (t) => {
  const { clock, searches, facts, whereabouts } = start();
  facts.isConfirmed = true;
  whereabouts.locate(FIRST);
  clock.advance(1_000_000);
  facts.isConfirmed = false;
  whereabouts.renew();
  clock.advance(121_999);
  t.same(searches, ['01']);
  clock.advance(1);
  t.same(searches, []);
});

t.test('an old announcement is not new, until the key has expired', async (t) => {
  const { clock, whereabouts } = start();
  t.ok(whereabouts.isNew(100n));
  t.notOk(whereabouts.isNew(100n));
  t.notOk(whereabouts.isNew(99n));
  whereabouts.locate(FIRST);
  whereabouts.forget();
  t.notOk(whereabouts.isNew(100n), 'to forget the key does not help a replay');
  whereabouts.locate(FIRST);
  clock.advance(122_000);
  t.ok(whereabouts.isNew(50n), 'whose clock was set back counts again');
});

t.test('a forgotten key leaves no timer, and cannot be renewed', async (t) => {
  const { clock, searches, whereabouts } = start();
  whereabouts.locate(FIRST);
  whereabouts.forget();
  whereabouts.renew();
  t.same(searches, []);
  t.equal(clock.pending, 0);
});
