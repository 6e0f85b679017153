/** The real command as a process. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { rfc3339 } from '../../../src/base/clock.js';
import { groupOf } from '../../../src/cli/ctl/connection-error.js';
import { Process, ROOT, startProgram } from '../../support/processes.js';
import { requirementsMet, root, tool } from '../../support/requirements.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { now, startDaemon } from './support/daemon.js';

const COMMAND = ['env', '-u', 'NODE_OPTIONS', process.execPath, join(ROOT, 'dist/bin/tuntoxctl.js')];
/** Debian's groups and users have fixed numbers for these. */
const ADM = 4;
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

const start = (socket: string, words: readonly string[], prefix: readonly string[] = []): Process =>
  startProgram('tuntoxctl', [...COMMAND, ...words], { prefix, env: { ...process.env, TUNTOX_SOCKET: socket } });

/** A daemon that logs a line again and again. */
const talkative = (t: Test): Promise<string> =>
  startDaemon(t, {
    'log.tail': (_params, emit, { signal }) =>
      new Promise((resolve) => {
        const say = (): void => {
          emit({ schema: 'tuntox.log-line/1', at: rfc3339(now()), level: 'info', message: 'again' });
        };
        const timer = setInterval(say, 5);
        signal.addEventListener('abort', () => {
          clearInterval(timer);
          resolve();
        });
      }),
  });

t.test('a command prints its result and exits', async (t) => {
  const socket = await startDaemon(t);
  const one = start(socket, ['status', '--json']);
  t.equal(await one.exited, 0);
  t.equal((JSON.parse(one.stdout) as { schema: string }).schema, 'tuntox.status/1');
  t.equal(one.stderr, '');
  const version = start(socket, ['-V']);
  t.equal(await version.exited, 0);
  t.match(version.stdout, /^tuntoxctl \d+\.\d+\.\d+\n$/);
});

t.test('Ctrl-C ends log tail -f with 130 and prints no error', async (t) => {
  const one = start(await talkative(t), ['log', 'tail', '-f']);
  await one.waitFor(/again\n/);
  t.equal(await one.stop('SIGINT'), 130);
  t.equal(one.stderr, '');
});

// The test's timeout is half of the time that the command waits for the daemon.
t.test('Ctrl-C ends a command whose daemon does not answer', { timeout: 10_000 }, async (t) => {
  const path = join(temporaryDirectory(t), 's');
  const asked = new Promise<void>((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => resolve());
    });
    server.listen(path);
    t.teardown(() => server.close());
  });
  const one = start(path, ['id']);
  await asked;
  t.equal(await one.stop('SIGINT'), 130);
  t.equal(one.stderr, '');
});

t.test('a command whose reader closes the pipe ends with 141 and prints no error', async (t) => {
  const socket = await talkative(t);
  const line = `${COMMAND.join(' ')} log tail -f | head -1; echo "status \${PIPESTATUS[0]}"`;
  const one = new Process('bash', 'bash', ['-c', line], { env: { ...process.env, TUNTOX_SOCKET: socket } });
  t.equal(await one.exited, 0);
  t.match(one.stdout, /again\nstatus 141\n$/);
  t.equal(one.stderr, '');
});

t.test('a user that may not use the socket reads which group to join: 4', async (t) => {
  if (!requirementsMet(t, root('be somebody else'), tool('setpriv', 'util-linux'))) return;
  const hint = 'to join the group: sudo usermod -aG adm $USER, then log in again; or run it as root: sudo tuntoxctl …';
  const socket = await startDaemon(t);
  const directory = join(socket, '..');
  chmodSync(directory, 0o755);
  chownSync(socket, 0, ADM);
  const refused = start(socket, ['status'], NOBODY);
  t.equal(await refused.exited, 4);
  t.equal(
    Buffer.from(refused.stderr, 'latin1').toString(),
    `tuntoxctl: permission denied for ${socket}: only members of the group adm may use it\n  ${hint}\n`,
  );
  // As systemd makes it: the directory already keeps others out.
  chownSync(directory, 0, ADM);
  chmodSync(directory, 0o750);
  const hidden = start(socket, ['status'], NOBODY);
  t.equal(await hidden.exited, 4);
  t.match(Buffer.from(hidden.stderr, 'latin1').toString(), hint);
});

t.test('no group is named for a socket that only root may use', async (t) => {
  if (!requirementsMet(t, root('have a directory of root'))) return;
  const directory = join(temporaryDirectory(t), 'd');
  mkdirSync(directory, { mode: 0o700 });
  t.equal(groupOf(join(directory, 'none')), undefined);
});
