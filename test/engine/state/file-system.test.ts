import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeDirectories, nodeFileSystem } from '../../../src/engine/state/file-system.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

t.test('a directory is made with its parents, once', async (t) => {
  const path = join(temporaryDirectory(t), 'a', 'b', 'c');
  t.ok(makeDirectories(path, 0o700));
  t.equal(statSync(path).mode & 0o777, 0o700);
  t.notOk(makeDirectories(path, 0o755));
  t.equal(statSync(path).mode & 0o777, 0o700, 'and stays as it is');
});

t.test('a link to a directory is accepted, a file is not', async (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'there'));
  symlinkSync('there', join(directory, 'link'));
  writeFileSync(join(directory, 'file'), '');
  t.notOk(makeDirectories(join(directory, 'link'), 0o700));
  t.throws(() => makeDirectories(join(directory, 'file'), 0o700), { code: 'EEXIST' });
  t.throws(() => makeDirectories(join(directory, 'file', 'more'), 0o700), { code: 'ENOTDIR' });
});

t.test('an impossible directory is an error', async (t) => {
  t.throws(() => makeDirectories('/proc/nothing/here', 0o700), { code: 'ENOENT' });
});

t.test('a pipe in place of a file does not block', async (t) => {
  const path = join(temporaryDirectory(t), 'pipe');
  spawnSync('mkfifo', [path]);
  t.equal((await nodeFileSystem.read(path)).length, 0, 'to which nobody writes');
  await (await nodeFileSystem.openToRead(path)).close();
  const writer = openSync(path, 'r+');
  await t.rejects(nodeFileSystem.read(path), { code: 'EAGAIN' }, 'to which somebody may');
  closeSync(writer);
});
