/** The real command as a process of its own. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { groupOf } from '../../../src/cli/ctl/socket-group.js';
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

/** A daemon that says a line of the log again and again. */
const talkative = (t: Test): Promise<string> =>
  startDaemon(t, {
    'log.tail': (_params, emit, { signal }) =>
      new Promise((resolve) => {
        const say = (): void => {
          emit({ schema: 'tuntox.log-line/1', at: now(), level: 'info', message: 'again' });
        };
        const timer = setInterval(say, 5);
        signal.addEventListener('abort', () => {
          clearInterval(timer);
          resolve();
        });
      }),
  });

t.test('answers, and ends by itself', async (t) => {
  const socket = await startDaemon(t);
  const one = start(socket, ['status', '--json']);
  t.equal(await one.exited, 0);
  t.equal((JSON.parse(one.stdout) as { schema: string }).schema, 'tuntox.status/1');
  t.equal(one.stderr, '');
  const version = start(socket, ['-V']);
  t.equal(await version.exited, 0);
  t.match(version.stdout, /^tuntoxctl \d+\.\d+\.\d+\n$/);
});

t.test('Ctrl-C ends log tail -f with 130, quietly', async (t) => {
  const one = start(await talkative(t), ['log', 'tail', '-f']);
  await one.waitFor(/again\n/);
  t.equal(await one.stop('SIGINT'), 130);
  t.equal(one.stderr, '');
});

// The guard is half of what it waits for such a daemon.
t.test('Ctrl-C ends what waits for a daemon that does not answer', { timeout: 10_000 }, async (t) => {
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

t.test('a reader that goes away ends it quietly', async (t) => {
  const socket = await talkative(t);
  const line = `${COMMAND.join(' ')} log tail -f | head -1; echo "status \${PIPESTATUS[0]}"`;
  const one = new Process('bash', 'bash', ['-c', line], { env: { ...process.env, TUNTOX_SOCKET: socket } });
  t.equal(await one.exited, 0);
  t.match(one.stdout, /again\nstatus 141\n$/);
  t.equal(one.stderr, '');
});

t.test('who may not use the socket is told which group to join: 4', async (t) => {
  if (!requirementsMet(t, root('be somebody else'), tool('setpriv', 'util-linux'))) return;
  const hint = 'join it: sudo usermod -aG adm $USER, then log in again; or run it as root: sudo tuntoxctl …';
  const socket = await startDaemon(t);
  const directory = join(socket, '..');
  chmodSync(directory, 0o755);
  chownSync(socket, 0, ADM);
  const refused = start(socket, ['status'], NOBODY);
  t.equal(await refused.exited, 4);
  t.equal(
    Buffer.from(refused.stderr, 'latin1').toString(),
    `tuntoxctl: this user may not use ${socket}: that is for group adm\n  ${hint}\n`,
  );
  // As systemd makes it: the directory already keeps others out.
  chownSync(directory, 0, ADM);
  chmodSync(directory, 0o750);
  const hidden = start(socket, ['status'], NOBODY);
  t.equal(await hidden.exited, 4);
  t.match(Buffer.from(hidden.stderr, 'latin1').toString(), hint);
});

t.test('where only root may, no group is named', async (t) => {
  if (!requirementsMet(t, root('have a directory of root'))) return;
  const directory = join(temporaryDirectory(t), 'd');
  mkdirSync(directory, { mode: 0o700 });
  t.equal(groupOf(join(directory, 'none')), undefined);
});
