import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { DialHandlers } from '../../../src/tunnel/server/dialer.js';
import { type ConnectUnix, UnixDialer } from '../../../src/tunnel/server/unix-dialer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** Resolves to what comes of a request for a path. */
function dial(dialer: UnixDialer, path: string, mayConnect: (address: string) => boolean = () => true) {
  let cancel = (): void => {};
  const outcome = new Promise<Parameters<DialHandlers['onFailed']> | Socket>((resolve) => {
    cancel = dialer.dial(
      'peer',
      { host: path, port: 0 },
      {
        mayConnect,
        onConnected: (socket) => resolve(socket as Socket),
        onFailed: (...failure) => resolve(failure),
      },
    );
  });
  return { outcome, cancel };
}

async function listen(t: Test, path: string): Promise<void> {
  const server = createServer((socket) => void socket.end('hello'));
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => server.close());
}

t.test('a Unix socket is connected to once the policy allows its path', async (t) => {
  const path = join(temporaryDirectory(t), 'a.sock');
  await listen(t, path);
  const asked: string[] = [];
  const clock = new ManualClock();
  const mayConnect = (address: string) => asked.push(address) > 0;
  const socket = (await dial(new UnixDialer(clock), path, mayConnect).outcome) as Socket;
  t.teardown(() => socket.destroy());
  t.equal(String((await once(socket, 'data'))[0]), 'hello');
  t.same(asked, [path]);
  t.equal(clock.pending, 0);
});

t.test('nothing is connected to that the policy does not allow', async (t) => {
  const clock = new ManualClock();
  const connect: ConnectUnix = () => t.fail('it was connected to') as never;
  const { outcome } = dial(new UnixDialer(clock, { connect }), '/run/docker.sock', () => false);
  clock.advance(0);
  t.strictSame(await outcome, ['not-allowed']);
});

t.test('a failure has a reason for the client, and advice for the owner', async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'file');
  writeFileSync(file, '');
  chmodSync(file, 0o600);
  const dialer = new UnixDialer(new ManualClock());
  t.strictSame(await dial(dialer, join(directory, 'none')).outcome, [
    'connection-refused',
    'ENOENT',
    'there is no such socket',
  ]);
  t.strictSame(await dial(dialer, file).outcome, ['connection-refused', 'ECONNREFUSED', 'no program listens there']);
});

/** Sockets whose connection the test decides about. */
function slowSockets() {
  const sockets: Socket[] = [];
  const connect: ConnectUnix = () => {
    const socket = new Socket();
    sockets.push(socket);
    return socket;
  };
  const full = () => sockets.at(-1)?.emit('error', Object.assign(new Error('full'), { code: 'EAGAIN' }));
  return { sockets, connect, full };
}

t.test('a program with a full queue is asked again, until the time is over', async (t) => {
  const clock = new ManualClock();
  const { sockets, connect, full } = slowSockets();
  const first = dial(new UnixDialer(clock, { connect }), '/run/a.sock');
  for (let count = 1; count <= 5; count += 1) {
    t.equal(sockets.length, count);
    full();
    clock.advance(50);
  }
  sockets.at(-1)?.emit('connect');
  t.equal(await first.outcome, sockets.at(-1));
  t.equal(clock.pending, 0);
  const second = dial(new UnixDialer(clock, { connect }), '/run/a.sock');
  full();
  clock.advance(12_000);
  t.strictSame(await second.outcome, ['timeout']);
  t.equal(clock.pending, 0);
});

t.test('a cancelled request has no outcome, and leaves nothing', async (t) => {
  const clock = new ManualClock();
  const { sockets, connect, full } = slowSockets();
  const { outcome, cancel } = dial(new UnixDialer(clock, { connect }), '/run/a.sock');
  full();
  cancel();
  clock.advance(60_000);
  t.equal(sockets.length, 1);
  t.ok(sockets[0]?.destroyed);
  t.equal(await Promise.race([outcome, 'none']), 'none');
  t.equal(clock.pending, 0);
});
