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

t.test('a node that stores the friend gets our request, and then our announcement', async (t) => {
  const { found, taken } = start();
  found();
  t.same(taken(), ['node request', 'node here']);
});

t.test('from then on announcements are sent through the onion and the DHT, quickly at first', async (t) => {
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

t.test('while paused no announcement is sent, and a restart only repeats the search', async (t) => {
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

t.test('a restart begins with the short gaps again', async (t) => {
  const { clock, discovery, taken } = start();
  discovery.resume();
  clock.advance(600_000);
  discovery.restart();
  taken();
  clock.advance(60);
  t.same(taken(), ['onion here', 'dht here']);
});

t.test('the state goes from sought to found by the first node, and to answering', async (t) => {
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

t.test('a friend that all nodes have forgotten is sought again, and found again', async (t) => {
  const { clock, search, found, discovery } = start();
  found();
  search.storedNodes = 0;
  t.same(discovery.standing, { kind: 'sought' });
  clock.advance(50);
  found();
  t.same(discovery.standing, { kind: 'found', since: 50 });
});

t.test('after close nothing is sent', async (t) => {
  const { clock, found, discovery, taken } = start();
  found();
  discovery.close();
  taken();
  t.equal(clock.pending, 0);
});
