import t from 'tap';
import { ClientList } from '../../../src/engine/server/client-list.js';
import { ManualClock } from '../../support/manual-clock.js';

interface TestClient {
  readonly id: string;
  isOnline: boolean;
}

const HOUR = 3_600_000;

function setUp(): { clock: ManualClock; clients: ClientList<TestClient>; forgotten: string[] } {
  const clock = new ManualClock();
  const forgotten: string[] = [];
  return { clock, forgotten, clients: new ClientList({ clock, onForget: (client) => forgotten.push(client.id) }) };
}

t.test('a client that has been away for hours is forgotten, once', async (t) => {
  const { clock, clients, forgotten } = setUp();
  const away = { id: 'away', isOnline: false };
  const here = { id: 'here', isOnline: true };
  clients.add(away);
  clients.add(here);
  clock.advance(5.9 * HOUR);
  t.same(forgotten, []);
  clock.advance(HOUR);
  t.same(forgotten, ['away']);
  t.notOk(clients.has('away'));
  t.ok(clients.has('here'));
  clients.onSeen(away);
  t.notOk(clients.has('away'), 'late news bring nobody back');
});

t.test('the hours count from when the client was last seen', async (t) => {
  const { clock, clients, forgotten } = setUp();
  const client = { id: 'client', isOnline: true };
  clients.add(client);
  clock.advance(10 * HOUR);
  client.isOnline = false;
  clients.onSeen(client);
  clock.advance(5.9 * HOUR);
  t.same(forgotten, []);
  clock.advance(HOUR);
  t.same(forgotten, ['client']);
});

t.test('the number of clients is bounded, and the one that has been away longest makes room', async (t) => {
  const { clock, clients, forgotten } = setUp();
  for (let count = 0; count < 512; count += 1) {
    t.ok(clients.makeRoom());
    clients.add({ id: `g${count}`, isOnline: count !== 7 && count !== 9 });
    clock.advance(1);
  }
  t.ok(clients.makeRoom());
  t.same(forgotten, ['g7']);
  clients.add({ id: 'new', isOnline: true });
  t.ok(clients.makeRoom());
  clients.add({ id: 'newer', isOnline: true });
  t.notOk(clients.makeRoom(), 'all places are taken by clients who are here');
  t.equal(clients.size, 512);
});

t.test('a closed list has no timer', async (t) => {
  const { clock, clients } = setUp();
  clients.close();
  t.equal(clock.pending, 0);
});
