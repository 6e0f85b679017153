import t from 'tap';
import { Search } from '../../../../src/tox/dht/search/search.js';
import type { NatPing } from '../../../../src/tox/packet/dht-request.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { at, keyOf, named, node } from '../../../support/nodes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const FRIEND = keyOf('00');
const REPORTERS = [node('01', '192.0.2.1'), node('02', '192.0.2.2')] as const;
const friendAt = (address: string) => ({ publicKey: FRIEND, endpoint: at(address) });

function start() {
  const natPings: NatPing[] = [];
  const pinged: string[] = [];
  const asked: string[] = [];
  const clock = new ManualClock();
  const search = new Search(
    {
      clock,
      random: new SeededRandom(1),
      ask: (info) => asked.push(named(info)),
      ping: (info) => pinged.push(named(info)),
      showOurselves: () => {},
      sendNatPing: (_search, ping) => natPings.push(ping),
    },
    { publicKey: FRIEND, isRandom: false },
  );
  for (const reporter of REPORTERS) search.answered(reporter, FRIEND, 0);
  return { search, natPings, pinged, asked, clock };
}

t.test('the routes to a friend are the nodes of the list that know an address of it', async (t) => {
  const { search } = start();
  t.same(search.ways(0), []);
  for (const { publicKey } of REPORTERS) search.named(publicKey, friendAt('198.51.100.1'), 0);
  search.named(keyOf('ff'), friendAt('198.51.100.1'), 0);
  t.same(search.ways(0).map(String), ['192.0.2.1:33445', '192.0.2.2:33445']);
});

t.test('a friend that answers is reached directly', async (t) => {
  const { search } = start();
  search.named(REPORTERS[0].publicKey, friendAt('198.51.100.1'), 0);
  search.answered(friendAt('198.51.100.1'), FRIEND, 0);
  t.same(search.ways(0).map(String), ['198.51.100.1:33445']);
});

t.test('a report by a node of the list starts NAT pings, one by any other node does not', async (t) => {
  const { search, natPings } = start();
  search.named(keyOf('ff'), friendAt('198.51.100.1'), 0);
  t.equal(natPings.length, 0);
  search.named(REPORTERS[0].publicKey, friendAt('198.51.100.1'), 0);
  t.same(
    natPings.map(({ type }) => type),
    ['request'],
  );
});

t.test('a NAT ping request is answered with its id, and makes us ping the reported addresses', async (t) => {
  const { search, natPings, pinged } = start();
  search.named(REPORTERS[0].publicKey, friendAt('198.51.100.1'), 0);
  search.handleNatPing({ type: 'request', id: 7n }, 100);
  t.same(natPings.at(-1), { type: 'response', id: 7n });
  t.same(pinged, ['00@198.51.100.1:33445']);
});

t.test('hole punching stops once the friend answers', async (t) => {
  const { search, natPings, pinged } = start();
  search.answered(friendAt('198.51.100.1'), FRIEND, 0);
  search.named(REPORTERS[0].publicKey, friendAt('198.51.100.1'), 0);
  search.handleNatPing({ type: 'request', id: 7n }, 100);
  search.tick(5000);
  t.same(pinged, []);
  t.same(
    natPings.map(({ type }) => type),
    ['response'],
  );
});

t.test('the family that more nodes report is used for hole punching', async (t) => {
  const { search, pinged } = start();
  search.named(REPORTERS[0].publicKey, friendAt('198.51.100.1'), 0);
  search.named(REPORTERS[1].publicKey, friendAt('198.51.100.1'), 0);
  search.named(REPORTERS[1].publicKey, friendAt('2001:db8::1'), 0);
  search.handleNatPing({ type: 'request', id: 7n }, 100);
  t.same(pinged, ['00@198.51.100.1:33445']);
});

t.test('when packets of a friend stop, all nodes near to it are asked and its address is no longer used', async (t) => {
  const { search, asked, natPings, clock } = start();
  clock.advance(1000);
  search.answered(friendAt('198.51.100.1'), FRIEND, 1000);
  search.named(REPORTERS[0].publicKey, friendAt('198.51.100.1'), 1000);
  asked.length = 0;
  search.setDirect(false);
  t.same(new Set(asked), new Set(['01@192.0.2.1:33445', '02@192.0.2.2:33445', '00@198.51.100.1:33445']));
  t.same(
    natPings.map(({ type }) => type),
    ['request'],
  );
  t.same(search.ways(1000).map(String), ['192.0.2.1:33445'], 'DHT requests go by those who know it');
  search.named(REPORTERS[1].publicKey, friendAt('198.51.100.2'), 1000);
  t.ok(asked.includes('00@198.51.100.2:33445'), 'and it is asked where others see it now');
  clock.advance(1);
  search.answered(friendAt('198.51.100.2'), FRIEND, 1001);
  t.same(search.ways(1001).map(String), ['198.51.100.2:33445'], 'where it answers it is');
});

t.test('once packets of the friend arrive no node is asked any more', async (t) => {
  const { search, asked, clock } = start();
  clock.advance(20_000);
  search.setDirect(false);
  search.setDirect(true);
  asked.length = 0;
  clock.advance(5000);
  t.same(asked, []);
  search.close();
  t.equal(clock.pending, 0);
});

t.test('a friend that asks others for us is searched for again, though its address seems good', async (t) => {
  const { search, asked } = start();
  search.answered(friendAt('198.51.100.1'), FRIEND, 0);
  search.handleNatPing({ type: 'request', id: 7n }, 10_000);
  asked.length = 0;
  search.named(REPORTERS[1].publicKey, friendAt('198.51.100.2'), 10_000);
  t.ok(asked.includes('00@198.51.100.2:33445'));
});

t.test('a friend has been seen since the first report, or answer, of those that still count', async (t) => {
  const { search } = start();
  t.equal(search.seenSince(0), undefined);
  search.named(keyOf('ff'), friendAt('198.51.100.1'), 100);
  t.equal(search.seenSince(100), undefined, 'a stranger may say what it likes');
  search.named(REPORTERS[0].publicKey, friendAt('198.51.100.1'), 1_000);
  search.named(REPORTERS[1].publicKey, friendAt('198.51.100.1'), 100_000);
  t.equal(search.seenSince(200_000), 1_000);
  t.equal(search.seenSince(222_000), undefined, 'nobody has said so for too long');
  search.answered(friendAt('198.51.100.1'), FRIEND, 300_000);
  t.equal(search.seenSince(310_000), 300_000);
});

t.test("the time of a friend's last answer is known while its address is good", async (t) => {
  const { search } = start();
  search.named(REPORTERS[0].publicKey, friendAt('198.51.100.1'), 0);
  t.equal(search.answeredAt(1), undefined, 'a report is no answer');
  for (const now of [1_000, 5_000]) search.answered(friendAt('198.51.100.1'), FRIEND, now);
  t.equal(search.answeredAt(100_000), 5_000);
  t.equal(search.answeredAt(127_000), undefined);
});

t.test('the owners of a search hear when the friend has an address for the first time, or again', async (t) => {
  const { search } = start();
  let heard = 0;
  const onSeen = (): void => {
    heard += 1;
  };
  search.owners.add({ onSeen });
  search.named(keyOf('ff'), friendAt('198.51.100.1'), 100);
  t.equal(heard, 0, 'a stranger may say what it likes');
  for (const { publicKey } of REPORTERS) search.named(publicKey, friendAt('198.51.100.1'), 1_000);
  search.answered(friendAt('198.51.100.1'), FRIEND, 2_000);
  t.equal(heard, 1);
  search.answered(friendAt('198.51.100.1'), FRIEND, 300_000);
  t.equal(heard, 2, 'all was forgotten in the meantime');
});
