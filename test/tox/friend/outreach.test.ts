import t from 'tap';
import { Outreach } from '../../../src/tox/friend/outreach.js';
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
  const outreach = new Outreach({
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
  return { clock, search, found, outreach, taken: () => events.splice(0) };
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
  const { clock, found, outreach, taken } = start();
  found();
  outreach.rest();
  taken();
  outreach.hurry();
  t.same(taken(), ['hurry']);
  clock.advance(600_000);
  t.same(taken(), []);
  outreach.go();
  clock.advance(60);
  t.same(taken(), ['resume', 'onion here', 'dht here']);
});

t.test('hurry begins with the short gaps again', async (t) => {
  const { clock, outreach, taken } = start();
  outreach.go();
  clock.advance(600_000);
  outreach.hurry();
  taken();
  clock.advance(60);
  t.same(taken(), ['onion here', 'dht here']);
});

t.test('a friend is sought, found by the first node that stores it, and answers', async (t) => {
  const { clock, found, outreach } = start();
  t.same(outreach.standing, { kind: 'sought' });
  clock.advance(10);
  found();
  clock.advance(10);
  found();
  t.same(outreach.standing, { kind: 'found', since: 10 }, 'another node is no news');
  outreach.noteAnswer();
  found();
  t.same(outreach.standing, { kind: 'answering', since: 20 });
  outreach.noteLost();
  t.same(outreach.standing, { kind: 'sought' });
});

t.test('one that all nodes have forgotten is sought again, and found anew', async (t) => {
  const { clock, search, found, outreach } = start();
  found();
  search.storedNodes = 0;
  t.same(outreach.standing, { kind: 'sought' });
  clock.advance(50);
  found();
  t.same(outreach.standing, { kind: 'found', since: 50 });
});

t.test('after close nothing goes on', async (t) => {
  const { clock, found, outreach, taken } = start();
  found();
  outreach.close();
  taken();
  t.equal(clock.pending, 0);
});
