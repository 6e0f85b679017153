import t from 'tap';
import { columnsOf } from '../../../../src/base/columns.js';
import { TopState } from '../../../../src/cli/ctl/top/top-state.js';
import { base, client, now } from '../support/daemon.js';

const SIZE = { columns: 80, rows: 12 };
type Client = ReturnType<typeof client>;

const named = (name: string, changes: object = {}): Client =>
  client({ client: { name, publicKey: Buffer.from(name.padEnd(32, '.')).toString('hex') }, ...changes });
const keyOf = ({ client: { publicKey } }: Client): string => publicKey;

/** The texts of the screen, without the spaces at their ends. */
const screenOf = (state: TopState, size = SIZE): string[] => state.lines(size, now()).map(({ text }) => text.trimEnd());
const namesOn = (state: TopState): (string | undefined)[] =>
  screenOf(state)
    .slice(2, -2)
    .filter((line) => line !== '')
    .map((line) => line.slice(2).split(' ')[0]);
const selectedOn = (state: TopState): string | undefined =>
  screenOf(state)
    .find((line) => line.startsWith('> '))
    ?.slice(2)
    .split(' ')[0];
const press = (state: TopState, ...keys: string[]): unknown => keys.map((key) => state.onKey(key, SIZE)).at(-1);

/** A screen after two lists, a second apart. */
function watching(clients: readonly Client[], later: readonly Client[] = clients): TopState {
  const state = new TopState('traffic');
  state.setClients(clients, 0);
  state.setClients(later, 1_000);
  return state;
}

const ANN = named('ann', { bytesReceived: 0, bytesSent: 0, roundTripMs: 30, tunnels: 1 });
const BOB = named('bob', { bytesReceived: 0, bytesSent: 0, roundTripMs: 20, tunnels: 3 });
const EVE = named('eve', { online: false, roundTripMs: null, tunnels: 0 });
const BUSY_BOB = { ...BOB, bytesReceived: 20_480, bytesSent: 1_024 };

t.test('clients are shown with path, round trip, both rates with their bars, and tunnels', async (t) => {
  const lines = screenOf(watching([ANN, BOB, EVE], [ANN, BUSY_BOB, EVE]));
  t.equal(lines[0], '2 of 3 clients online, 4 tunnels   in 20 KiB/s   out 1.0 KiB/s');
  t.match(lines[1], /^ {2}CLIENT +VIA +RTT +IN\/s +60 s +OUT\/s +60 s +TUNNELS$/);
  t.match(lines[2], /^> bob +direct +20ms +20 KiB +█ +1\.0 KiB +▁ +3$/);
  t.match(lines[3], /^ {2}ann +direct +30ms +0 B +0 B +1$/);
  t.match(lines[4], /^ {2}eve +offline +- +0 B/);
  t.match(lines.at(-1), /^q quit/);
  t.equal(lines.length, SIZE.rows);
});

t.test(
  'every line is exactly as wide as the terminal, whatever its size, and control characters are escaped',
  async (t) => {
    const strange = named('x', { path: { kind: 'direct', since: client().since, address: '\u001b[2J\u202e雪' } });
    const state = watching([ANN, strange, named('a-very-long-name-of-thirty-two-c')]);
    for (const isOpened of [false, true]) {
      if (isOpened) {
        press(state, 'down', 'down', 'return');
        state.setTunnels([{ ...base, target: { host: '\u0007'.repeat(30), port: 22 } }], 0);
      }
      for (const columns of [1, 2, 10, 20, 33, 55, 60, 79, 80, 200]) {
        for (const rows of [1, 2, 3, 4, 5, 24]) {
          const lines = state.lines({ columns, rows }, now());
          t.equal(lines.length, rows, `${columns} × ${rows}`);
          for (const { text } of lines) {
            t.equal(columnsOf(text), columns, `${columns} × ${rows}: ${text}`);
            t.notMatch(text, /[\p{Cc}\u202e]/u);
          }
        }
      }
    }
  },
);

t.test('a narrow terminal loses the least useful columns first', async (t) => {
  const state = watching([ANN]);
  const heading = (columns: number): string => screenOf(state, { columns, rows: 10 })[1]?.replace(/\s+/g, ' ') ?? '';
  t.equal(heading(80), ' CLIENT VIA RTT IN/s 60 s OUT/s 60 s TUNNELS');
  t.equal(heading(62), ' CLIENT VIA RTT IN/s 60 s OUT/s 60 s');
  t.equal(heading(56), ' CLIENT VIA RTT IN/s OUT/s TUNNELS');
  t.equal(heading(45), ' CLIENT VIA RTT IN/s OUT/s');
  t.equal(heading(30), ' CLIENT IN/s OUT/s');
});

t.test('s sorts by the next property, and the selection stays on its client', async (t) => {
  const state = watching([ANN, BOB, EVE], [ANN, BUSY_BOB, EVE]);
  press(state, 'down');
  t.same(namesOn(state), ['bob', 'ann', 'eve']);
  press(state, 's', 's', 's');
  t.match(screenOf(state).at(-2), 'sorted by rtt');
  t.same(namesOn(state), ['ann', 'bob', 'eve'], 'one that is away is last');
  t.equal(selectedOn(state), 'ann');
  press(state, 's');
  t.same(namesOn(state), ['bob', 'ann', 'eve'], 'by tunnels');
  press(state, 's');
  t.same(namesOn(state), ['ann', 'bob', 'eve'], 'by name');
  t.equal(selectedOn(state), 'ann');
});

t.test('a list that is higher than the terminal is scrolled', async (t) => {
  const state = watching(Array.from({ length: 50 }, (_, index) => named(`host${index + 1}`, { bytesReceived: 0 })));
  t.equal(namesOn(state).length, 8);
  press(state, 'pagedown', 'pagedown');
  t.equal(selectedOn(state), 'host17');
  t.match(screenOf(state)[0], /17 of 50$/);
  press(state, 'end');
  t.equal(selectedOn(state), 'host50');
  t.equal(namesOn(state).length, 8);
  press(state, 'home', 'up');
  t.equal(selectedOn(state), 'host1');
});

t.test('k asks, and kicks after y only', async (t) => {
  const state = watching([ANN]);
  t.equal(press(state, 'k'), undefined);
  t.match(screenOf(state).at(-1), /^kick ann and close its tunnels\? It may connect again\. \(y\/N\)$/);
  t.equal(press(state, 'return'), undefined);
  t.match(screenOf(state).at(-1), /^q quit/, 'any other key means no');
  t.equal(press(state, 'y'), undefined);
  t.same(press(state, 'k', 'y'), { kind: 'kick', publicKey: keyOf(ANN), name: 'ann' });
  t.same(press(new TopState('traffic'), 'k', 'y'), undefined, 'nobody is there');
});

t.test('Enter shows the tunnels of a client, c closes one after a question, and Left goes back', async (t) => {
  const state = watching([ANN, BOB], [ANN, BUSY_BOB]);
  t.same(press(state, 'down', 'return'), { kind: 'watch-tunnels', publicKey: keyOf(ANN) });
  t.match(screenOf(state), [
    'ann 616E6E2E   online for 3d, round trip 30ms',
    /^direct /,
    /^in +0 B\/s/,
    /^out +0 B\/s/,
  ]);
  t.match(screenOf(state).join('\n'), /no tunnels/);
  const tunnels = [base, { ...base, id: 'c-18', bytesReceived: 5_000 }];
  state.setTunnels(tunnels, 0);
  state.setTunnels([base, { ...base, id: 'c-18', bytesReceived: 6_024 }], 1_000);
  press(state, 'down', 'c');
  t.equal(screenOf(state).at(-1), 'close c-18? (y/N)');
  t.match(screenOf(state)[6], /^> c-18 .* 1\.0 KiB +0 B$/);
  t.same(press(state, 'y'), { kind: 'close', connection: 'c-18' });
  press(state, 'k');
  t.match(screenOf(state).at(-1), /^kick ann/);
  t.same(press(state, 'n', 'left'), { kind: 'watch-tunnels', publicKey: undefined });
  t.equal(selectedOn(state), 'ann');
});

t.test('a tunnel to a service is shown with the name of the service', async (t) => {
  const state = watching([ANN]);
  press(state, 'return');
  state.setTunnels([{ ...base, target: { host: 'web', port: 0 } }], 0);
  t.match(screenOf(state)[5], /^> c-17 +web +1h12m/);
});

t.test('a client that is gone closes its list of tunnels, with its question', async (t) => {
  const state = watching([ANN]);
  press(state, 'return', 'k');
  state.leaveTunnels();
  t.equal(press(state, 'y'), undefined);
  t.same(namesOn(state), ['ann']);
});

t.test('while the daemon does not answer everything is faint and says so, until there are clients again', async (t) => {
  const state = watching([ANN]);
  state.setTrouble('trying again: nothing listens');
  t.match(state.lines(SIZE, now()).slice(0, 1), [{ style: 'faint' }]);
  state.say('it failed');
  t.equal(screenOf(state).at(-2), 'trying again: nothing listens');
  state.setClients([ANN], 2_000);
  t.equal(screenOf(state).at(-2), '');
});

t.test('q ends it and Ctrl-C interrupts it, also during a question', async (t) => {
  t.same(press(watching([ANN]), 'q'), { kind: 'quit' });
  t.same(press(watching([ANN]), 'k', 'ctrl-c'), { kind: 'interrupt' });
});
