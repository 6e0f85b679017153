import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lockFile } from '../../src/engine/file-lock.js';
import { PidFile } from '../../src/platform/pid-file.js';
import { requirementsMet, root } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

t.test('it has our number, keeps others out, and is gone at the end', async (t) => {
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

t.test('a stale one is replaced, however long it was', async (t) => {
  const path = join(temporaryDirectory(t), 'pid');
  writeFileSync(path, '1234567890 and more\n');
  PidFile.create(path, 7, lockFile).remove();
  writeFileSync(path, 'x'.repeat(1000));
  const file = PidFile.create(path, 7, lockFile);
  t.equal(readFileSync(path, 'utf8'), '7\n');
  file.remove();
});

t.test('the file of somebody else in our place stays', async (t) => {
  const path = join(temporaryDirectory(t), 'pid');
  const file = PidFile.create(path, 42, lockFile);
  renameSync(path, `${path}.old`);
  writeFileSync(path, '43\n');
  file.remove();
  t.equal(readFileSync(path, 'utf8'), '43\n');
});

t.test('what is no plain file is left alone, and places that cannot be written are named', async (t) => {
  const directory = temporaryDirectory(t);
  const target = join(directory, 'target');
  writeFileSync(target, 'precious');
  symlinkSync(target, join(directory, 'link'));
  linkSync(target, join(directory, 'second name'));
  mkdirSync(join(directory, 'inner'));
  spawnSync('mkfifo', [join(directory, 'pipe')]);
  const cases: [string, RegExp][] = [
    ['link', /link \(it is a link\): name another file with -F/],
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

t.test('root makes it for a user, and gives away nothing else of its own', async (t) => {
  if (!requirementsMet(t, root('give a file to a user'))) return;
  const user = { name: 'nobody', uid: 65534, gid: 65534 };
  const directory = temporaryDirectory(t);
  const [path, other, held] = [join(directory, 'pid'), join(directory, 'other'), join(directory, 'held')];
  PidFile.prepare(path, user, lockFile);
  t.match(statSync(path), { uid: 65534, size: 0 });
  writeFileSync(other, 'precious');
  linkSync(other, join(directory, 'second name'));
  t.throws(() => PidFile.prepare(other, user, lockFile), { code: 'not-writable' });
  t.match(statSync(other), { uid: 0, size: 8 });
  const file = PidFile.create(held, 42, lockFile);
  PidFile.prepare(held, user, lockFile);
  t.match(statSync(held), { uid: 0, size: 3 }, 'of a process that runs');
  file.remove();
  const theirs = join(directory, 'theirs');
  mkdirSync(theirs);
  chownSync(theirs, user.uid, user.gid);
  mkdirSync(join(directory, 'cron.d'));
  symlinkSync('../cron.d', join(theirs, 'run'));
  PidFile.prepare(join(theirs, 'run', 'pid'), user, lockFile);
  t.same(readdirSync(join(directory, 'cron.d')), [], 'by way of a directory of the user');
  symlinkSync(other, join(directory, 'link'));
  t.throws(() => PidFile.prepare(join(directory, 'link'), user, lockFile), { code: 'not-writable' });
});
