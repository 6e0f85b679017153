/** The control socket with real sockets, well-behaved clients and hostile ones. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { rfc3339, systemClock } from '../../src/base/clock.js';
import { type Logger, silentLogger } from '../../src/base/logger.js';
import { ControlClient } from '../../src/control/client.js';
import { ControlError } from '../../src/control/control-error.js';
import { linkIpc } from '../../src/control/ipc.js';
import type { Call, Emit, MethodHandlers } from '../../src/control/protocol.js';
import { ControlServer } from '../../src/control/server.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

type Handlers = Partial<MethodHandlers>;

const pong = { schema: 'tuntox.ping/1', client: { publicKey: 'a'.repeat(64), name: null }, roundTripMs: 1.5 } as const;

async function startServer(t: Test, handlers: Handlers = {}, log: Logger = silentLogger): Promise<string> {
  const path = join(temporaryDirectory(t), 'tuntoxd.sock');
  const server = newServer(path, handlers, log);
  await server.start();
  t.teardown(() => server.stop());
  return path;
}

const newServer = (path: string, handlers: Handlers, log: Logger = silentLogger): ControlServer =>
  new ControlServer(
    { clock: systemClock, log, handlers: handlers as MethodHandlers },
    { path, groupId: process.getgid?.(), daemon: 'tuntoxd 0', pid: 7 },
  );

async function client(t: Test, path: string, timeout = 5_000): Promise<ControlClient> {
  const made = await ControlClient.connect(systemClock, { path, client: 'test 0', timeout });
  t.teardown(() => made.close());
  return made;
}

/** Connects a client that can send any bytes. */
async function raw(t: Test, path: string): Promise<Socket> {
  const socket = connect(path);
  socket.setEncoding('utf8');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Reads all bytes until the connection ends. */
async function untilEnd(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await once(socket, 'close');
  return text;
}

const HELLO = '{"jsonrpc":"2.0","id":0,"method":"hello","params":{"versions":[1],"client":"raw"}}\n';

t.test('a request is answered, with defaults filled in', async (t) => {
  const path = await startServer(t, {
    'connections.list': (params) => {
      t.same(params, {});
      return { schema: 'tuntox.connections/1', connections: [] };
    },
    'whitelist.remove': (params) => {
      t.same(params, { client: 'laptop', dryRun: false });
      throw new ControlError('not-found', 'there is no client "laptop"', { hint: 'did you mean "laptop2"?' });
    },
  });
  const control = await client(t, path);
  t.same(await control.call('connections.list', {}), { schema: 'tuntox.connections/1', connections: [] });
  const error = await control.call('whitelist.remove', { client: 'laptop' }).catch((caught: unknown) => caught);
  t.match(error, { code: 'not-found', message: 'there is no client "laptop"', hint: 'did you mean "laptop2"?' });
});

t.test('unknown fields, methods and values are refused by name', async (t) => {
  const path = await startServer(t);
  const control = await client(t, path);
  await t.rejects(control.call('id', { shout: true } as never), {
    code: 'bad-params',
    message: 'there is no field "shout"',
  });
  await t.rejects(control.call('ping', {} as never), { code: 'bad-params', message: 'the field "client" is missing' });
  await t.rejects(control.call('rules.check', { client: 'a', target: 7 } as never), {
    code: 'bad-params',
    message: /^target: /,
  });
  await t.rejects(control.call('ping', { client: 'x'.repeat(300) } as never), {
    code: 'bad-params',
    message: 'client: it is too long: 300 of at most 256',
  });
  await t.rejects(control.call('whitelist.edit', { client: 'x', rate: 5 } as never), {
    code: 'bad-params',
    message: /^rate: a rate is 1 KiB a second or more$/,
  });
  await t.rejects(control.call('whitelist.edit', { client: 'x', maxTunnels: 5000 } as never), {
    code: 'bad-params',
    message: 'maxTunnels: 5000 is too much: at most 1024',
  });
  const socket = await raw(t, path);
  socket.write(`${HELLO}{"jsonrpc":"2.0","id":1,"method":"constructor"}\n`);
  let said = '';
  while (!said.includes('"id":1')) said += (await once(socket, 'data')) as unknown as string;
  t.match(said, /there is no method \\"constructor\\".*"unknown-method"/);
});

t.test('an unexpected error of a handler is answered, and the daemon continues', async (t) => {
  const path = await startServer(t, {
    id: () => {
      throw new Error('disk on fire');
    },
    ping: () => pong,
  });
  const control = await client(t, path);
  await t.rejects(control.call('id', {}), { code: 'failed', message: 'disk on fire' });
  t.same(await control.call('ping', { client: 'a' }), pong);
});

t.test('a stream sends events until it is cancelled', async (t) => {
  let aborted = false;
  const path = await startServer(t, {
    'log.tail': async (_params: unknown, emit: Emit<never>, { signal }: Call) => {
      for (let at = 1; !signal.aborted; at += 1) {
        emit({ schema: 'tuntox.log-line/1', at: rfc3339(at), level: 'info', message: 'tick' } as never);
        await sleep(5);
      }
      aborted = true;
    },
  });
  const control = await client(t, path);
  const abort = new AbortController();
  const seen: string[] = [];
  await control.stream(
    'log.tail',
    { follow: true },
    {
      signal: abort.signal,
      onEvent: ({ at }) => {
        seen.push(at);
        if (at === rfc3339(3)) abort.abort();
      },
    },
  );
  t.same(seen.slice(0, 3), [1, 2, 3].map(rfc3339));
  t.ok(aborted, 'the handler stopped');
});

t.test('the requests of a client that disconnects are aborted', async (t) => {
  const gone = new Promise<void>((resolve) => {
    void startServer(t, {
      ping: (_params: unknown, { signal }: Call) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            resolve();
            reject(new ControlError('failed', 'aborted'));
          });
        }),
    }).then(async (path) => {
      const control = await client(t, path);
      control.call('ping', { client: 'a' }).catch(() => {});
      await sleep(20);
      control.close();
    });
  });
  await gone;
});

t.test('many clients send many requests at once', async (t) => {
  const path = await startServer(t, { ping: () => pong });
  const all = Array.from({ length: 50 }, async () => {
    const control = await client(t, path);
    const answers = await Promise.all(Array.from({ length: 40 }, () => control.call('ping', { client: 'a' })));
    control.close();
    return answers.length;
  });
  t.equal(
    (await Promise.all(all)).reduce((sum, one) => sum + one, 0),
    2_000,
  );
});

t.test('a client too many is refused, and the others continue', async (t) => {
  const path = await startServer(t, { ping: () => pong });
  const all = await Promise.all(Array.from({ length: 128 }, () => client(t, path)));
  await t.rejects(client(t, path), { code: 'busy', message: /accepts no more connections/ });
  t.same(await all[127]?.call('ping', { client: 'a' }), pong);
  all[0]?.close();
  // The daemon learns of it in a moment.
  let next: ControlClient | undefined;
  while (next === undefined) next = await client(t, path).catch(() => undefined);
  t.same(await next.call('ping', { client: 'a' }), pong, 'a place that is free again can be used');
});

t.test('the version is agreed on first, or the error names both versions', async (t) => {
  const path = await startServer(t);
  const socket = await raw(t, path);
  socket.write('{"jsonrpc":"2.0","id":1,"method":"hello","params":{"versions":[2,3],"client":"tuntoxctl 9"}}\n');
  t.match(await untilEnd(socket), /tuntoxd 0 speaks version 1 .*, tuntoxctl 9 speaks 2, 3.*"code":"version"/);
  const rude = await raw(t, path);
  rude.write('{"jsonrpc":"2.0","id":1,"method":"id"}\n');
  t.match(await untilEnd(rude), /the first request of a connection must be/);
});

t.test('a request that is too long is refused before it is sent, and the connection stays', async (t) => {
  const control = await client(t, await startServer(t, { ping: () => pong }));
  const error = { code: 'bad-params', message: /the request is too long/, hint: /split/ };
  await t.rejects(control.call('ping', { client: 'a'.repeat(512 * 1024) }), error);
  t.same(await control.call('ping', { client: 'a' }), pong);
});

t.test('a client that sends no lines, or lines that are no requests, is disconnected', async (t) => {
  const path = await startServer(t, { ping: () => pong });
  const endless = await raw(t, path);
  endless.write('x'.repeat(600 * 1024));
  t.match(await untilEnd(endless), /a request is longer than/);
  for (const text of ['garbage\n', '[]\n', '{"jsonrpc":"1.0"}\n', 'null\n', `${HELLO}{"id":1}\n`]) {
    const socket = await raw(t, path);
    socket.write(text);
    t.match(await untilEnd(socket), /not a request/, JSON.stringify(text));
  }
  t.same(await (await client(t, path)).call('ping', { client: 'a' }), pong, 'others do not notice');
});

/** Starts clients that request a long answer repeatedly and never read. @returns how often they were answered */
async function deafClients(t: Test, { clients, size }: { readonly clients: number; readonly size: number }) {
  const text = 'x'.repeat(size);
  const state = { answered: 0, ended: 0 };
  const debug = (line: string): void => {
    if (line.includes('does not read')) state.ended += 1;
  };
  const handlers: Handlers = {
    ping: () => pong,
    metrics: () => {
      state.answered += 1;
      return { schema: 'tuntox.metrics/1', text };
    },
  };
  const path = await startServer(t, handlers, { ...silentLogger, debug });
  for (let count = 0; count < clients; count += 1) {
    const socket = await raw(t, path);
    socket.pause();
    socket.on('error', () => {});
    socket.write(HELLO);
    for (let id = 1; id <= 200; id += 1) socket.write(`{"jsonrpc":"2.0","id":${id},"method":"metrics","params":{}}\n`);
  }
  // Another client is answered meanwhile.
  const control = await client(t, path);
  for (let count = 0; count < 100; count += 1) await control.call('ping', { client: 'a' });
  return state;
}

t.test('a client that never reads delays only itself', async (t) => {
  const { answered, ended } = await deafClients(t, { clients: 1, size: 100_000 });
  t.ok(answered >= 16 && answered < 40, `answered ${answered} of 200`);
  t.equal(ended, 0);
});

t.test('a client for which too much waits is disconnected, and so is the worst of many', async (t) => {
  const one = await deafClients(t, { clients: 1, size: 4_000_000 });
  t.ok(one.answered <= 16, `answered ${one.answered} of 200`);
  t.equal(one.ended, 1);
  const { answered, ended } = await deafClients(t, { clients: 20, size: 1_000_000 });
  t.ok(answered <= 20 * 17, `answered ${answered}`);
  t.ok(ended > 0, `ended ${ended}`);
});

t.test('a cancel does not wait behind streams, and a connection has few streams', async (t) => {
  const path = await startServer(t, {
    ping: () => pong,
    'log.tail': (_params: unknown, _emit: Emit<never>, { signal }: Call) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
      }),
  });
  const control = await client(t, path);
  const aborts = Array.from({ length: 16 }, () => new AbortController());
  const streams = aborts.map(({ signal }) =>
    control.stream('log.tail', { follow: true }, { signal, onEvent: () => {} }).then(
      () => 'cancelled',
      ({ code }) => code,
    ),
  );
  t.same(await control.call('ping', { client: 'a' }), pong, 'requests are answered beside them');
  for (const abort of aborts) abort.abort();
  t.same(await Promise.all(streams), [...Array(8).fill('cancelled'), ...Array(8).fill('busy')]);
});

t.test('only the owner and the group may connect', async (t) => {
  const path = await startServer(t);
  t.equal(statSync(path).mode & 0o777, 0o660);
  const own = join(temporaryDirectory(t), 's');
  const options = { path: own, groupId: undefined, daemon: 'tuntoxd 0', pid: 7 };
  const server = new ControlServer({ clock: systemClock, log: silentLogger, handlers: {} as MethodHandlers }, options);
  await server.start();
  t.teardown(() => server.stop());
  t.equal(statSync(own).mode & 0o777, 0o600, 'without a group only the owner');
});

/** @returns the path of a socket on which nobody listens any more */
async function staleSocket(t: Test): Promise<string> {
  const path = join(temporaryDirectory(t), 's');
  const dying = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ]);
  await once(dying, 'exit');
  t.ok(existsSync(path), 'a stale socket');
  return path;
}

t.test('one of several daemons that start at the same moment gets the socket', async (t) => {
  const path = await staleSocket(t);
  const servers = [1, 2, 3].map(() => newServer(path, { ping: () => pong }));
  t.teardown(() => {
    for (const server of servers) server.stop();
  });
  const outcomes = await Promise.allSettled(servers.map((server) => server.start()));
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const one of outcomes) if (one.status === 'rejected') t.match(one.reason, { code: 'in-use' });
  t.same(await (await client(t, path)).call('ping', { client: 'a' }), pong);
});

t.test('the socket of a killed daemon is replaced, but not that of a running one, and no file', async (t) => {
  const path = await staleSocket(t);
  const server = newServer(path, { ping: () => pong });
  await server.start();
  t.teardown(() => server.stop());
  await t.rejects(newServer(path, {}).start(), { code: 'in-use', message: /another daemon is listening/ });
  t.same(await (await client(t, path)).call('ping', { client: 'a' }), pong);
  const file = join(temporaryDirectory(t), 'f');
  writeFileSync(file, 'precious');
  await t.rejects(newServer(file, {}).start(), { code: 'in-use', message: /is not a socket/ });
});

t.test('a path that is too long for a socket is refused, not cut off', async (t) => {
  const path = join(temporaryDirectory(t), 'x'.repeat(107));
  const error = { code: 'failed', message: /too long for a socket \(1\d\d bytes of at most 107\)/ };
  await t.rejects(newServer(path, {}).start(), error);
  await t.rejects(ControlClient.connect(systemClock, { path, client: 'x', timeout: 1_000 }), error);
});

t.test('the client reports that no daemon listens, or that it does not answer', async (t) => {
  const path = join(temporaryDirectory(t), 'none');
  await t.rejects(ControlClient.connect(systemClock, { path, client: 'x', timeout: 1_000 }), { code: 'not-running' });
  const silent = await startServer(t, { ping: () => new Promise(() => {}) });
  const control = await client(t, silent, 50);
  await t.rejects(control.call('ping', { client: 'a' }), { code: 'timeout' });
});

t.test('stopping removes the socket and disconnects the clients', async (t) => {
  const path = join(temporaryDirectory(t), 's');
  const server = newServer(path, { ping: () => new Promise(() => {}) });
  await server.start();
  const control = await client(t, path);
  const call = control.call('ping', { client: 'a' });
  server.stop();
  await t.rejects(call, { code: 'stopping' });
  t.notOk(existsSync(path));
});

t.test('a link to the socket replaces what a killed daemon left in its place', async (t) => {
  const socket = await startServer(t);
  const directory = temporaryDirectory(t);
  const place = join(directory, 'link');
  const left = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen('${directory}/left', () => console.log())`,
  ]);
  await once(left.stdout, 'data');
  left.kill('SIGKILL');
  await once(left, 'exit');
  t.ok(lstatSync(join(directory, 'left')).isSocket());
  symlinkSync('/nowhere/tuntoxd.sock', place);
  for (const at of [place, place, join(directory, 'left')]) {
    const link = await linkIpc(at, socket);
    t.equal(readlinkSync(at), socket);
    t.equal((await client(t, at)).pid, 7);
    if (at !== place) link.remove();
  }
  t.notOk(existsSync(join(directory, 'left')));
});

t.test('a link replaces nothing that is in use, and only its maker removes it', async (t) => {
  const [socket, other] = [await startServer(t), await startServer(t)];
  await t.rejects(linkIpc(other, socket), { code: 'in-use', message: /another daemon is listening on / });
  const directory = temporaryDirectory(t);
  const place = join(directory, 'link');
  symlinkSync(other, place);
  await t.rejects(linkIpc(place, socket), { code: 'in-use' });
  t.equal(readlinkSync(place), other);
  const file = join(directory, 'file');
  writeFileSync(file, 'kept');
  symlinkSync(file, join(directory, 'to file'));
  symlinkSync('loop', join(directory, 'loop'));
  for (const name of ['file', 'to file', 'loop']) {
    const at = join(directory, name);
    const said = { code: 'in-use', message: /is not a socket: move it away/ };
    await t.rejects(linkIpc(at, socket), said);
    await t.rejects(newServer(at, {}).start(), said);
  }
  await t.rejects(linkIpc(join(directory, 'none', 'link'), socket), { code: 'not-running' });
  const link = await linkIpc(join(directory, 'mine'), socket);
  link.remove();
  link.remove();
  t.notOk(existsSync(join(directory, 'mine')));
});

t.test('a socket replaces a link that an earlier daemon left', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'tuntoxd.sock');
  symlinkSync(join(directory, 'gone'), path);
  const server = newServer(path, {});
  await server.start();
  t.teardown(() => server.stop());
  t.ok(lstatSync(path).isSocket());
  const mine = await startServer(t);
  const taken = join(directory, 'taken');
  symlinkSync(mine, taken);
  await t.rejects(newServer(taken, {}).start(), { code: 'in-use', message: /another daemon is listening/ });
});

t.test('many requests of a client are answered in order, with those of another client between them', async (t) => {
  const path = join(temporaryDirectory(t), 'tuntoxd.sock');
  const worked: string[] = [];
  const ping = ({ client }: { client: string }): typeof pong => {
    worked.push(client);
    return pong;
  };
  const server = newServer(path, { ping });
  await server.start();
  t.teardown(() => server.stop());
  const many = Array.from({ length: 2_000 }, (_, at) => `many${at}`);
  const requests = many.map((name, at) =>
    JSON.stringify({ jsonrpc: '2.0', id: at, method: 'ping', params: { client: name } }),
  );
  const [socket, other] = [await raw(t, path), await client(t, path)];
  socket.write(`${HELLO}${requests.join('\n')}\n`);
  let answers = 0;
  socket.on('data', (text) => {
    answers += String(text).split('"roundTripMs"').length - 1;
  });
  while (answers === 0) await once(socket, 'data');
  await other.call('ping', { client: 'other' });
  t.ok(worked.length < 2_000, `${worked.length} before the other was answered`);
  while (answers < 2_000) await once(socket, 'data');
  t.same(
    worked.filter((name) => name !== 'other'),
    many,
  );
});

t.test('a deleted socket is created again by restore, and connections stay open', async (t) => {
  const path = join(temporaryDirectory(t), 's');
  const server = newServer(path, { ping: () => pong });
  await server.start();
  t.teardown(() => server.stop());
  const before = await client(t, path);
  t.equal(await server.restore(), false, 'it was not deleted');
  unlinkSync(path);
  t.equal(await server.restore(), true);
  t.match(await (await client(t, path)).call('ping', { client: 'a' }), pong);
  t.match(await before.call('ping', { client: 'a' }), pong);
  server.stop();
  t.notOk(existsSync(path));
  t.equal(await server.restore(), false, 'the server was stopped');
});

t.test('the socket of another daemon in the place of a deleted one is left alone', async (t) => {
  const path = join(temporaryDirectory(t), 's');
  const [first, second] = [newServer(path, {}), newServer(path, {})];
  t.teardown(() => [first, second].map((server) => server.stop()));
  await first.start();
  unlinkSync(path);
  await second.start();
  const { ino } = lstatSync(path);
  t.equal(await first.restore(), false);
  t.equal(lstatSync(path).ino, ino);
});

t.test('a failed restore can be tried again', async (t) => {
  const directory = join(temporaryDirectory(t), 'run');
  mkdirSync(directory);
  const server = newServer(join(directory, 's'), {});
  await server.start();
  t.teardown(() => server.stop());
  rmSync(directory, { recursive: true });
  await t.rejects(server.restore(), {
    code: 'failed',
    message: /cannot create a socket in .*run \(no such directory\): create it/,
  });
  mkdirSync(directory);
  t.equal(await server.restore(), true);
});

t.test('a deleted link is created again, and does not replace another', async (t) => {
  const [socket, other] = [await startServer(t), await startServer(t)];
  const place = join(temporaryDirectory(t), 'link');
  const link = await linkIpc(place, socket);
  t.equal(link.restore(), false);
  unlinkSync(place);
  t.equal(link.restore(), true);
  t.equal(readlinkSync(place), socket);
  unlinkSync(place);
  symlinkSync(other, place);
  t.equal(link.restore(), false);
  t.equal(readlinkSync(place), other);
});
