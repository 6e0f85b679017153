/** `tuntoxctl top` on a terminal of 80 × 24, with a scripted daemon and somebody at the keys. */
import { PassThrough } from 'node:stream';
import t from 'tap';
import { ControlError } from '../../../../src/control/control-error.js';
import type { MethodHandlers } from '../../../../src/control/protocol.js';
import { clients, connections, KEYS, startDaemon } from '../support/daemon.js';
import { run, uncoloured } from '../support/run.js';

const ENTER = '\u001b[?1049h';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const DOWN = '\u001b[B';
const CTRL_C = '\u0003';

/** A stream that lasts until it is cancelled. */
const watched: MethodHandlers['clients.watch'] = (_params, emit, { signal }) =>
  new Promise((resolve) => {
    emit({ schema: 'tuntox.clients/1', clients: clients() });
    signal.addEventListener('abort', () => resolve());
  });

/** Standard input as a terminal; `raw` is what setRawMode was called with. */
function keyboard() {
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (isRaw: boolean) => void raw.push(isRaw) });
  return { stdin, raw };
}

/** @param steps what to press when the screen has what is expected, one after the other */
async function top(socket: string, steps: readonly (readonly [expected: RegExp, keys: string])[], words = ['top']) {
  const { stdin, raw } = keyboard();
  const left = [...steps];
  const result = await run(words, {
    socket,
    terminal: 80,
    stdin,
    onOutput: (text) => {
      const [step] = left;
      if (step === undefined || !step[0].test(uncoloured(text))) return;
      left.shift();
      // Not from within the output.
      setImmediate(() => stdin.write(step[1]));
    },
  });
  return { ...result, raw, left };
}

t.test('q restores the terminal and ends with 0', async (t) => {
  const socket = await startDaemon(t, { 'clients.watch': watched });
  const { status, stdout, stderr, raw } = await top(socket, [[/> laptop/, 'q']]);
  t.equal(status, 0, stderr);
  t.same(raw, [true, false]);
  t.ok(stdout.startsWith(ENTER));
  t.ok(stdout.endsWith(LEAVE));
  t.match(uncoloured(stdout), /laptop +direct +23ms/);
});

t.test('Ctrl-C, which is a key now, ends it with 130 and restores the terminal', async (t) => {
  const socket = await startDaemon(t, { 'clients.watch': watched });
  const { status, stdout, raw } = await top(socket, [[/> laptop/, CTRL_C]]);
  t.equal(status, 130);
  t.same(raw, [true, false]);
  t.ok(stdout.endsWith(LEAVE));
});

t.test('a signal restores the terminal too', async (t) => {
  const socket = await startDaemon(t, { 'clients.watch': watched });
  const { stdin } = keyboard();
  const { status, stdout } = await run(['top'], {
    socket,
    terminal: 80,
    stdin,
    onOutput: (text, interrupt) => {
      if (text.includes('laptop')) interrupt();
    },
  });
  t.equal(status, 130);
  t.ok(stdout.endsWith(LEAVE));
});

t.test('Ctrl-Z gives the terminal back, and the screen is there again when the process continues', async (t) => {
  const socket = await startDaemon(t, { 'clients.watch': watched });
  const { stdin, raw } = keyboard();
  let stops = 0;
  let screens = 0;
  const { status, stdout } = await run(['top'], {
    socket,
    terminal: 80,
    stdin,
    onStop: () => {
      stops += 1;
    },
    onOutput: (text) => {
      if (!uncoloured(text).includes('> laptop')) return;
      screens += 1;
      if (screens === 1) setImmediate(() => stdin.write('\u001a'));
      if (stops === 1) setImmediate(() => stdin.write('q'));
    },
  });
  t.equal(status, 0);
  t.equal(stops, 1);
  t.same(raw, [true, false, true, false]);
  t.same([stdout.split(ENTER).length - 1, stdout.split(LEAVE).length - 1], [2, 2]);
});

t.test('a client is kicked after the question, and the answer is shown', async (t) => {
  const asked: unknown[] = [];
  const socket = await startDaemon(t, {
    'clients.watch': watched,
    'clients.kick': ({ client, dryRun }) => {
      asked.push(client, dryRun);
      const [only] = connections;
      const { client: kicked } = clients()[0] as ReturnType<typeof clients>[number];
      return {
        schema: 'tuntox.kicked/1',
        client: kicked,
        wasConnected: true,
        closed: only === undefined ? [] : [only],
        bannedUntil: null,
        notes: [],
      };
    },
  });
  const { status, left } = await top(socket, [
    [/> laptop/, 'k'],
    [/kick laptop and close its tunnels\?/, 'y'],
    [/disconnected laptop, and closed 1 tunnel/, 'q'],
  ]);
  t.same(left, []);
  t.equal(status, 0);
  t.same(asked, [KEYS.laptop, false]);
});

t.test('the tunnels of a client are watched and closed, and an error is shown', async (t) => {
  const watchedKeys: unknown[] = [];
  let cancelled = 0;
  const socket = await startDaemon(t, {
    'clients.watch': watched,
    'connections.watch': ({ client }, emit, { signal }) =>
      new Promise((resolve) => {
        watchedKeys.push(client);
        emit({ schema: 'tuntox.connections/1', connections: [...connections] });
        signal.addEventListener('abort', () => {
          cancelled += 1;
          resolve();
        });
      }),
    'connections.close': ({ connection }) => {
      throw new ControlError('not-found', `there is no connection ${connection}`);
    },
  });
  const { left } = await top(socket, [
    [/> laptop/, '\r'],
    [/> c-17/, DOWN],
    [/> c-22/, 'c'],
    [/close c-22\?/, 'y'],
    [/there is no connection c-22/, '\u001b[D'],
    [/> laptop/, 'q'],
  ]);
  t.same(left, []);
  t.same([watchedKeys, cancelled], [[KEYS.laptop], 1]);
});

t.test('a client that is gone leaves the list of clients', async (t) => {
  const socket = await startDaemon(t, {
    'clients.watch': watched,
    'connections.watch': () => Promise.reject(new ControlError('not-found', 'there is no client "x"')),
  });
  const { left } = await top(socket, [
    [/> laptop/, '\r'],
    [/> laptop[\s\S]*there is no client "x"/, 'q'],
  ]);
  t.same(left, []);
});

t.test('a daemon that stops is asked again, and is shown when it is back', async (t) => {
  let streams = 0;
  const socket = await startDaemon(t, {
    'clients.watch': (params, emit, call) => {
      streams += 1;
      if (streams > 1) return watched(params, emit, call);
      emit({ schema: 'tuntox.clients/1', clients: clients() });
      return Promise.reject(new ControlError('stopping', 'the daemon is stopping'));
    },
  });
  const { status, left } = await top(socket, [
    [/trying again: the daemon is stopping/, 's'],
    [/> laptop(?![\s\S]*trying again)/, 'q'],
  ]);
  t.same(left, []);
  t.equal(status, 0);
});

t.test('without a daemon the error is printed, and the screen is not touched', async (t) => {
  const { status, stdout, stderr, raw } = await top('/nonexistent/socket', []);
  t.equal(status, 3);
  t.equal(stdout, '');
  t.same(raw, []);
  t.match(stderr, /the daemon is not running/);
});

t.test('top needs a terminal that can be cleared, or --json', async (t) => {
  const socket = await startDaemon(t);
  for (const options of [{}, { terminal: 80, env: { TERM: 'dumb' } }, { terminal: 80, stdin: new PassThrough() }]) {
    const { status, stdout, stderr } = await run(['top'], { socket, ...options });
    t.equal(status, 1);
    t.equal(stdout, '');
    t.match(
      stderr,
      /top needs a terminal .*\n?.*keys\n +elsewhere, use: tuntoxctl clients list, or tuntoxctl top --json/,
    );
  }
  const { status, stdout } = await run(['top', '--json'], { socket });
  t.equal(status, 0);
  t.equal(stdout.trim().split('\n').length, 2, 'one list on each line');
  t.match(await run(['top', '--sort', 'size'], { socket }), {
    status: 2,
    stderr: /"size" is not an order for --sort\n +use one of: traffic, in, out, rtt, tunnels, name/,
  });
});
