import t from 'tap';
import { FriendDiscovery } from '../../../src/tox/friend/friend-discovery.js';
import type { FriendSearch, FriendSearchHandlers } from '../../../src/tox/onion/friend-search.js';
import { ManualClock } from '../../support/manual-clock.js';

/** Above a search in the onion that takes notes. */
function start() {
  const clock = new ManualClock();
  const events: string[] = [];
  const search = {
    storedNodes: 0,
    send: (data: Buffer) => events.push(`onion ${data}`),
    resume: () => events.push('resume'),
    pause: () => events.push('pause'),
    hurry: () => events.push('hurry'),
    close: () => events.push('close'),
  };
  let handlers: FriendSearchHandlers | undefined;
  const discovery = new FriendDiscovery({
    clock,
    search: (given) => {
      handlers = given;
      return search as unknown as FriendSearch;
    },
    announcement: () => Buffer.from('here'),
    sendByDht: (announcement) => events.push(`dht ${announcement}`),
    onReachable: (send) => send(Buffer.from('request')),
  });
  /** A node stores the friend. */
  const found = (): void => {
    search.storedNodes += 1;
    handlers?.onFound({ send: (data) => events.push(`node ${data}`) });
  };
  return { clock, search, found, discovery, taken: () => events.splice(0) };
}

t.test('a node that stores the friend gets our request, and our announcement after it', async (t) => {
  const { found, taken } = start();
  found();
  t.same(taken(), ['node request', 'node here']);
});

t.test('from then on we announce ourselves by all ways, in haste at first', async (t) => {
  const { clock, found, taken } = start();
  found();
  taken();
  clock.advance(60);
  t.same(taken(), ['onion here', 'dht here']);
  clock.advance(940);
  t.equal(taken().length, 8);
  clock.advance(600_000);
  const late = taken().length;
  t.ok(late > 0 && late < 80, `${late}`);
});

t.test('while it rests nothing is said, and hurry is for the search alone', async (t) => {
  const { clock, found, discovery, taken } = start();
  found();
  discovery.pause();
  taken();
  discovery.restart();
  t.same(taken(), ['hurry']);
  clock.advance(600_000);
  t.same(taken(), []);
  discovery.resume();
  clock.advance(60);
  t.same(taken(), ['resume', 'onion here', 'dht here']);
});

t.test('hurry begins with the short gaps again', async (t) => {
  const { clock, discovery, taken } = start();
  discovery.resume();
  clock.advance(600_000);
  discovery.restart();
  taken();
  clock.advance(60);
  t.same(taken(), ['onion here', 'dht here']);
});

t.test('a friend is sought, found by the first node that stores it, and answers', async (t) => {
  const { clock, found, discovery } = start();
  t.same(discovery.standing, { kind: 'sought' });
  clock.advance(10);
  found();
  clock.advance(10);
  found();
  t.same(discovery.standing, { kind: 'found', since: 10 }, 'another node is no news');
  discovery.noteAnswer();
  found();
  t.same(discovery.standing, { kind: 'answering', since: 20 });
  discovery.noteLost();
  t.same(discovery.standing, { kind: 'sought' });
});

t.test('one that all nodes have forgotten is sought again, and found anew', async (t) => {
  const { clock, search, found, discovery } = start();
  found();
  search.storedNodes = 0;
  t.same(discovery.standing, { kind: 'sought' });
  clock.advance(50);
  found();
  t.same(discovery.standing, { kind: 'found', since: 50 });
});

t.test('after close nothing goes on', async (t) => {
  const { clock, found, discovery, taken } = start();
  found();
  discovery.close();
  taken();
  t.equal(clock.pending, 0);
});
