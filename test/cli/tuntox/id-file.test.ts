import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeIdFile } from '../../../src/cli/tuntox/id-file.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

t.test('the Tox ID is a line of its own, which everybody may read', async (t) => {
  const path = join(temporaryDirectory(t), 'id');
  for (const id of ['OLD', 'NEW']) await writeIdFile(path, id);
  t.equal(readFileSync(path, 'latin1'), 'NEW\n');
  t.equal(statSync(path).mode & 0o777, 0o644 & ~process.umask());
});

t.test('nothing is written through a link that a stranger planted', async (t) => {
  const directory = temporaryDirectory(t);
  const victim = join(directory, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync('victim', join(directory, 'id'));
  await t.rejects(writeIdFile(join(directory, 'id'), 'ID'), {
    code: 'not-writable',
    message: /cannot write the Tox ID to .*id \(it is not a plain file\): name another file with -I/,
  });
  symlinkSync('victim', join(directory, 'other.tmp'));
  await writeIdFile(join(directory, 'other'), 'ID');
  t.equal(readFileSync(victim, 'latin1'), 'precious');
  t.ok(lstatSync(join(directory, 'id')).isSymbolicLink());
  t.same(readdirSync(directory).sort(), ['id', 'other', 'victim']);
});

t.test('a directory is not taken for a file', async (t) => {
  const path = join(temporaryDirectory(t), 'id');
  mkdirSync(path);
  await t.rejects(writeIdFile(path, 'ID'), { message: /it is not a plain file/ });
});
