/** The real command as a service without a service manager: `-z`, `-D`, `-F`, `-U`. Nothing here reaches a network. */
import { existsSync, readFileSync, readlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { freePort, startTuntox } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { ended, endWith, isRunning } from './support/strangers.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const KEY = 'F404ABAA1C99A9D37D61AB54898F56793E1DEF8BD46B1038B9D822E8460FAB67';
const SERVER = ['--insecure-open', '--bootstrap', `127.0.0.1:9:${KEY}`];

/** @returns the process number in the background */
async function startInBackground(t: Test, args: readonly string[], pidFile: string): Promise<number> {
  const command = startTuntox([...args, '-F', pidFile, ...SERVER]);
  t.equal(await command.exited, 0, command.stderr);
  t.match(command.stdout, /^[0-9A-F]{76}\n$/);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  endWith(t, pid);
  t.not(pid, command.pid);
  return pid;
}

t.test(
  'with -z or -D, the command exits with 0 once the server works, which continues in its own session',
  async (t) => {
    const directory = temporaryDirectory(t);
    const pidFile = join(directory, 'pid');
    const pid = await startInBackground(t, ['-z', '-C', join(directory, 'identity')], pidFile);
    t.ok(isRunning(pid));
    const session = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')[3];
    t.equal(Number(session), pid);

    const second = startTuntox(['-D', '-C', join(directory, 'identity'), ...SERVER]);
    t.equal(await second.exited, 1);
    t.match(second.stderr, new RegExp(`^tuntox: the identity in .* is in use by process ${pid}`, 'm'));
    t.equal(second.stdout, '');
    const third = startTuntox(['-D', '-C', join(directory, 'other'), '-F', pidFile, ...SERVER]);
    t.equal(await third.exited, 1);
    t.match(third.stderr, new RegExp(`^tuntox: .*pid belongs to process ${pid}, which runs`, 'm'));

    process.kill(pid, 'SIGTERM');
    t.ok(await ended(pid));
    t.notOk(existsSync(pidFile));
  },
);

t.test('with -z -L, the client goes to the background once it listens, and ends on SIGTERM', async (t) => {
  const pidFile = join(temporaryDirectory(t), 'pid');
  const args = ['-z', '-L', `${await freePort()}:127.0.0.1:9`, '-i', ID, '-F', pidFile, '--bootstrap', 'none'];
  const command = startTuntox(args);
  t.equal(await command.exited, 0, command.stderr);
  t.match(command.stderr, /listening/);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  endWith(t, pid);
  t.not(pid, command.pid);
  t.ok(isRunning(pid));

  const second = startTuntox(args.filter((arg, index) => arg !== '-F' && args[index - 1] !== '-F'));
  t.equal(await second.exited, 1, 'the port is in use');
  process.kill(pid, 'SIGTERM');
  t.ok(await ended(pid));
  t.notOk(existsSync(pidFile));
});

t.test('a usage error is printed at once, with its own status', async (t) => {
  const command = startTuntox(['-z', '-f', '/nonexistent', ...SERVER]);
  t.equal(await command.exited, 1);
  t.match(command.stderr, /^tuntox: cannot read \/nonexistent/m);
  const closed = startTuntox(['-z', '--bootstrap', `127.0.0.1:9:${KEY}`]);
  t.equal(await closed.exited, 2);
  t.match(closed.stderr, /^tuntox: this server could not admit any client/m);
});

t.test('in the background, no directory is kept busy, and relative names still work', async (t) => {
  const directory = temporaryDirectory(t);
  const command = startTuntox(['-z', '-C', 'identity', '-F', 'pid', ...SERVER], {
    prefix: ['env', `--chdir=${directory}`],
  });
  t.equal(await command.exited, 0, command.stderr);
  const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
  endWith(t, pid);
  t.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  unlinkSync(join(directory, 'identity', 'tox_save'));
  process.kill(pid, 'SIGTERM');
  t.ok(await ended(pid));
  t.ok(existsSync(join(directory, 'identity', 'tox_save')), 'saved where it was');
  t.notOk(existsSync(join(directory, 'pid')));
});

t.test('a user that is not there, and a stale pid file', async (t) => {
  const directory = temporaryDirectory(t);
  const pidFile = join(directory, 'pid');
  writeFileSync(pidFile, `${process.pid}\n`);
  const wrong = startTuntox(['-C', directory, '-U', 'nobody-has-this-name', ...SERVER]);
  t.equal(await wrong.exited, 1);
  t.match(wrong.stderr, /^tuntox: there is no user nobody-has-this-name/m);
  const command = startTuntox(['-C', directory, '-F', pidFile, ...SERVER]);
  await command.waitFor(/^[0-9A-F]{76}\n/);
  t.equal(readFileSync(pidFile, 'utf8'), `${command.pid}\n`);
  t.equal(await command.stop(), 0);
  t.notOk(existsSync(pidFile));
});
