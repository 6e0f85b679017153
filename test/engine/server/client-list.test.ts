import t from 'tap';
import { ClientList } from '../../../src/engine/server/client-list.js';
import { ManualClock } from '../../support/manual-clock.js';

interface TestGuest {
  readonly id: string;
  isOnline: boolean;
}

const HOUR = 3_600_000;

function setUp(): { clock: ManualClock; guests: ClientList<TestGuest>; forgotten: string[] } {
  const clock = new ManualClock();
  const forgotten: string[] = [];
  return { clock, forgotten, guests: new ClientList({ clock, onForget: (guest) => forgotten.push(guest.id) }) };
}

t.test('who has been away for hours is forgotten, once', async (t) => {
  const { clock, guests, forgotten } = setUp();
  const away = { id: 'away', isOnline: false };
  const here = { id: 'here', isOnline: true };
  guests.add(away);
  guests.add(here);
  clock.advance(5.9 * HOUR);
  t.same(forgotten, []);
  clock.advance(HOUR);
  t.same(forgotten, ['away']);
  t.notOk(guests.has('away'));
  t.ok(guests.has('here'));
  guests.onSeen(away);
  t.notOk(guests.has('away'), 'late news bring nobody back');
});

t.test('the hours count from the last time somebody was seen', async (t) => {
  const { clock, guests, forgotten } = setUp();
  const guest = { id: 'guest', isOnline: true };
  guests.add(guest);
  clock.advance(10 * HOUR);
  guest.isOnline = false;
  guests.onSeen(guest);
  clock.advance(5.9 * HOUR);
  t.same(forgotten, []);
  clock.advance(HOUR);
  t.same(forgotten, ['guest']);
});

t.test('there are so many places, and who has been away longest makes room', async (t) => {
  const { clock, guests, forgotten } = setUp();
  for (let count = 0; count < 512; count += 1) {
    t.ok(guests.makeRoom());
    guests.add({ id: `g${count}`, isOnline: count !== 7 && count !== 9 });
    clock.advance(1);
  }
  t.ok(guests.makeRoom());
  t.same(forgotten, ['g7']);
  guests.add({ id: 'new', isOnline: true });
  t.ok(guests.makeRoom());
  guests.add({ id: 'newer', isOnline: true });
  t.notOk(guests.makeRoom(), 'all places are taken by guests who are here');
  t.equal(guests.size, 512);
});

t.test('a closed list has no timer', async (t) => {
  const { clock, guests } = setUp();
  guests.close();
  t.equal(clock.pending, 0);
});
