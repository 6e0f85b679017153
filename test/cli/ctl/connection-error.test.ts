import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { connectionError, lostDaemon } from '../../../src/cli/ctl/connection-error.js';
import { ControlError } from '../../../src/control/control-error.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const SOCKET = '/run/tuntox/tuntoxd.sock';
const TABLE = [
  'Num       RefCount Protocol Flags    Type St Inode Path',
  '0000000000000000: 00000002 00000000 00010000 0001 01 18123 /run/other.sock',
  '0000000000000000: 00000003 00000000 00000000 0001 03 18124 /run/tuntox/tuntoxd.sock',
  '',
];
const LISTENING = '0000000000000000: 00000002 00000000 00010000 0001 01 18125 /run/tuntox/tuntoxd.sock';

/** A machine whose lock names process 7, which runs a command. */
function machine(t: Test, { table = TABLE, lock = '7\n', command = 'node\0/usr/bin/tuntoxd\0' } = {}) {
  const directory = temporaryDirectory(t);
  const place = (name: string): string => join(directory, name);
  writeFileSync(place('sockets'), table.join('\n'));
  writeFileSync(place('lock'), lock);
  writeFileSync(place('7'), command);
  return { sockets: place('sockets'), lock: place('lock'), command: place('PID') };
}

t.test('a daemon that listens on a deleted socket is found in the list of sockets', async (t) => {
  t.same(lostDaemon(SOCKET, false, machine(t, { table: [...TABLE, LISTENING] })), { kind: 'listens' });
  t.equal(lostDaemon(SOCKET, false, machine(t)), undefined, 'a connected socket belongs to a client');
});

t.test('a daemon without a socket is found by its lock, at the default path alone', async (t) => {
  t.same(lostDaemon(SOCKET, true, machine(t)), { kind: 'runs', pid: 7 });
  t.equal(lostDaemon(SOCKET, false, machine(t)), undefined);
  t.equal(
    lostDaemon(SOCKET, true, machine(t, { command: 'vim\0' })),
    undefined,
    'the process ID belongs to another program by now',
  );
  t.equal(lostDaemon(SOCKET, true, machine(t, { lock: '8\n' })), undefined);
  t.equal(lostDaemon(SOCKET, true, machine(t, { lock: 'x' })), undefined);
});

t.test('the list of sockets of this machine can be read', async (t) => {
  const path = join(temporaryDirectory(t), 'a socket');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  t.same(lostDaemon(path, false), { kind: 'listens' });
});

t.test('a pipe in place of the lock file does not block', async (t) => {
  const sources = machine(t);
  rmSync(sources.lock);
  spawnSync('mkfifo', [sources.lock]);
  t.equal(lostDaemon(SOCKET, true, sources), undefined);
});

t.test('a daemon that hangs is told with the commands for its log and its restart', async (t) => {
  const error = new ControlError('timeout', 'the daemon has not answered for 20 s (hello)');
  const place = { path: SOCKET, from: 'default', owner: 'user' } as const;
  t.match(await connectionError(error, place), {
    code: 'timeout',
    message: error.message,
    hint: /^it hangs, .*: see journalctl --user -u tuntox; to restart it, .*: systemctl --user restart tuntox$/,
  });
});
