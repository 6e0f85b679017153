import { spawnSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lockFile } from '../../../src/engine/state/file-lock.js';
import { ownPidFile, PidFile, pidFileMark } from '../../../src/platform/process/pid-file.js';
import { requirementsMet, root } from '../../support/requirements.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

t.test('the pid file has our process ID, refuses other processes, and is removed at the end', async (t) => {
  const path = join(temporaryDirectory(t), 'pid');
  const file = PidFile.create(path, 42, lockFile);
  t.equal(readFileSync(path, 'utf8'), '42\n');
  t.throws(() => PidFile.create(path, 43, lockFile), {
    code: 'in-use',
    message: /belongs to process 42, which runs: .*-F/,
  });
  t.equal(readFileSync(path, 'utf8'), '42\n');
  file.remove();
  file.remove();
  t.notOk(existsSync(path));
});

t.test('a stale pid file is replaced, however long it was', async (t) => {
  const path = join(temporaryDirectory(t), 'pid');
  writeFileSync(path, '1234567890 and more\n');
  PidFile.create(path, 7, lockFile).remove();
  writeFileSync(path, 'x'.repeat(1000));
  const file = PidFile.create(path, 7, lockFile);
  t.equal(readFileSync(path, 'utf8'), '7\n');
  file.remove();
});

t.test('a file of another process at the same path stays', async (t) => {
  const path = join(temporaryDirectory(t), 'pid');
  const file = PidFile.create(path, 42, lockFile);
  renameSync(path, `${path}.old`);
  writeFileSync(path, '43\n');
  file.remove();
  t.equal(readFileSync(path, 'utf8'), '43\n');
});

t.test('anything but a plain file is refused, and an error names the path', async (t) => {
  const directory = temporaryDirectory(t);
  const target = join(directory, 'target');
  writeFileSync(target, 'precious');
  symlinkSync(target, join(directory, 'link'));
  linkSync(target, join(directory, 'second name'));
  mkdirSync(join(directory, 'inner'));
  spawnSync('mkfifo', [join(directory, 'pipe')]);
  const cases: [string, RegExp][] = [
    ['link', /link \(it is a symbolic link\): name another file with -F/],
    ['second name', /second name \(it has another name, too\): name another file with -F/],
    ['inner', /inner \(it is a directory\)/],
    ['pipe', /pipe \(it is not a plain file\)/],
    ['none/pid', /\(no such directory\)/],
  ];
  for (const [name, message] of cases) {
    t.throws(() => PidFile.create(join(directory, name), 1, lockFile), { code: 'not-writable', message }, name);
  }
  t.equal(readFileSync(target, 'utf8'), 'precious');
});

t.test('the process of another user inherits only the lock of the pid file of root', async (t) => {
  if (!requirementsMet(t, root('have files of root'))) return;
  const path = join(temporaryDirectory(t), 'pid');
  const file = PidFile.hold(path, lockFile) as PidFile;
  file.write(42);
  t.match(statSync(path), { uid: 0, mode: 0o100644 });
  t.throws(() => writeSync(file.lockFd, '1'), { code: 'EBADF' }, 'it only reads');
  const [{ status }, inherited] = [
    spawnSync('sh', ['-c', 'exec setpriv --reuid=65534 --clear-groups sh -c "echo 1 >/proc/self/fd/3"'], {
      stdio: ['ignore', 'ignore', 'ignore', file.lockFd],
    }),
    openSync(`/proc/self/fd/${file.lockFd}`, 'r'),
  ];
  closeSync(inherited);
  t.not(status, 0, 'nor can it be opened again for more');
  t.throws(() => PidFile.hold(path, lockFile), { code: 'in-use', message: /belongs to process 42, which runs/ });
  t.equal(readFileSync(path, 'utf8'), '42\n');
  file.leave();
  file.remove();
  t.equal(readFileSync(path, 'utf8'), '42\n', 'the process that has the lock continues');
  PidFile.hold(path, lockFile)?.remove();
  t.notOk(existsSync(path));
});

t.test('root replaces the pid file of a user, follows no link, and creates none where users can write', async (t) => {
  if (!requirementsMet(t, root('have files of root'))) return;
  const directory = temporaryDirectory(t);
  const [path, other, theirs] = ['pid', 'other', 'theirs'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(path, '1\n');
  chownSync(path, 65534, 65534);
  const opened = openSync(path, 'r+');
  const file = PidFile.hold(path, lockFile);
  file?.write(42);
  writeSync(opened, '1\n');
  closeSync(opened);
  t.equal(statSync(path).uid, 0);
  t.equal(readFileSync(path, 'utf8'), '42\n', 'a process that has the old file open writes elsewhere');
  file?.remove();
  writeFileSync(other, 'precious');
  linkSync(other, join(directory, 'second name'));
  symlinkSync(other, join(directory, 'link'));
  for (const name of ['other', 'link'])
    t.throws(() => PidFile.hold(join(directory, name), lockFile), { code: 'not-writable' }, name);
  t.match(statSync(other), { uid: 0, size: 8 });
  mkdirSync(theirs);
  chownSync(theirs, 65534, 65534);
  mkdirSync(join(directory, 'cron.d'));
  symlinkSync('../cron.d', join(theirs, 'run'));
  t.equal(PidFile.hold(join(theirs, 'run', 'pid'), lockFile), undefined);
  t.same(readdirSync(join(directory, 'cron.d')), [], 'by way of a directory of the user');
});

t.test('the process of another user creates its own pid file only if root created none, with a warning', async (t) => {
  const path = join(temporaryDirectory(t), 'pid');
  const said: string[] = [];
  const log = { warn: (text: string): void => void said.push(text) };
  const own = (env: NodeJS.ProcessEnv) => ownPidFile({ process: { env, pid: 42 }, log }, path, lockFile);
  t.equal(own({ ...pidFileMark({} as PidFile) }), undefined);
  t.same([existsSync(path), said], [false, []]);
  const env: NodeJS.ProcessEnv = { ...pidFileMark(undefined) };
  own(env)?.remove();
  t.match(said, [/^users other than root can change .*: root should not send signals by .*pid/]);
  t.same(env, {}, 'what it starts is told nothing');
  const file = own(env);
  t.equal(readFileSync(path, 'utf8'), '42\n', 'without root no word of it');
  t.equal(said.length, 1);
  file?.remove();
});
