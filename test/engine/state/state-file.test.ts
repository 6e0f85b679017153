import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FileLockError, lockFile } from '../../../src/engine/state/file-lock.js';
import { nodeFileSystem } from '../../../src/engine/state/file-system.js';
import { nodeStateFileDeps, StateFile } from '../../../src/engine/state/state-file.js';
import { FailingFileSystem, systemError } from '../../support/failing-file-system.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { NAMES } from '../support/names.js';

const BYTES = Buffer.from('an identity');

const open = (directory: string, isCreated = true): Promise<StateFile> =>
  StateFile.open(nodeStateFileDeps, { path: directory, names: NAMES }, { isCreated });

const failing = (code: string, at: number): FailingFileSystem =>
  new FailingFileSystem({ at, error: systemError(code), isFinal: false });

t.test('a new directory is private, and so is what is saved in it', async (t) => {
  const directory = join(temporaryDirectory(t), 'a', 'b');
  const file = await open(directory);
  t.equal(await file.read(), undefined, 'nothing yet');
  await file.save(BYTES);
  t.same(await file.read(), BYTES);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  t.equal(statSync(join(directory, 'tox_save')).mode & 0o777, 0o600);
  t.notOk(await file.isReadableByOthers());
  await file.close();
});

t.test('a file that other users can read is noticed', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'tox_save'), BYTES, { mode: 0o644 });
  const file = await open(directory);
  t.ok(await file.isReadableByOthers());
  await file.close();
});

t.test('saves wait for each other, and the last one stays', async (t) => {
  const file = await open(temporaryDirectory(t));
  const saves = [];
  for (let count = 0; count < 20; count += 1) saves.push(file.save(Buffer.alloc(count * 1000, count)));
  await file.close();
  await Promise.all(saves);
  t.same(readFileSync(file.path), Buffer.alloc(19_000, 19));
});

t.test('a directory in use is an error that names the process, until it is closed', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await open(directory);
  await t.rejects(open(directory), {
    code: 'in-use',
    message: new RegExp(
      `^the identity in ${directory} is in use by process ${process.pid}: stop that one, or let it carry all connections, or .* -C$`,
    ),
  });
  await first.close();
  await (await open(directory)).close();
});

t.test('another process locks the directory, and a kill -9 releases it', async (t) => {
  const directory = temporaryDirectory(t);
  const program = `
    import { nodeStateFileDeps, StateFile } from ${JSON.stringify(new URL('../../../src/engine/state/state-file.js', import.meta.url).href)};
    await StateFile.open(nodeStateFileDeps, ${JSON.stringify({ path: directory, names: NAMES })}, { isCreated: true });
    console.log('locked');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  await t.rejects(open(directory), { code: 'in-use', message: new RegExp(`process ${child.pid}`) });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const file = await open(directory);
  await file.close();
});

t.test('an error names a missing, wrong, forbidden or full directory and says what to do', async (t) => {
  const directory = temporaryDirectory(t);
  await t.rejects(open(join(directory, 'none'), false), { code: 'missing', message: /none: create it.* -C/ });
  writeFileSync(join(directory, 'file'), '');
  await t.rejects(open(join(directory, 'file')), { code: 'not-a-directory', message: /file is not a directory.* -C/ });
  await t.rejects(open(join(directory, 'file', 'x')), { code: 'not-a-directory' });
  // The first operation after the two that look at the directory creates the lock file.
  const cases: [string, string, RegExp][] = [
    ['EACCES', 'not-writable', /permission denied/],
    ['EPERM', 'not-writable', /not permitted/],
    ['EROFS', 'not-writable', /read-only/],
    ['ENOSPC', 'disk-full', /disk full/],
    ['EDQUOT', 'disk-full', /quota/],
    ['EIO', 'failed', /the device failed/],
  ];
  for (const [system, code, message] of cases) {
    const opened = StateFile.open(
      { files: failing(system, 2), lock: lockFile },
      { path: directory, names: NAMES },
      { isCreated: true },
    );
    await t.rejects(opened, { name: 'StateFileError', code, message }, system);
  }
  await (await open(directory)).close();
  t.pass('none of them kept the lock');
});

t.test('a lock file of another user is named, and the directory is not blamed', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'tox_save.lock'), '');
  const opened = StateFile.open(
    { files: failing('EACCES', 2), lock: lockFile },
    { path: directory, names: NAMES },
    { isCreated: true },
  );
  await t.rejects(opened, {
    code: 'not-writable',
    message: /^cannot write .*tox_save\.lock \(permission denied\): give it and .*tox_save to this user \(chown\)/,
  });
});

t.test('a lock file that is a link is refused', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'victim'), 'precious');
  symlinkSync('victim', join(directory, 'tox_save.lock'));
  await t.rejects(open(directory), { code: 'not-writable', message: /link/ });
  t.equal(readFileSync(join(directory, 'victim'), 'utf8'), 'precious');
});

t.test('without a lock nothing is opened', async (t) => {
  const lock = (): boolean => {
    throw new FileLockError('no-flock', 'the command flock is missing: install the package util-linux');
  };
  const opened = StateFile.open(
    { files: nodeFileSystem, lock },
    { path: temporaryDirectory(t), names: NAMES },
    { isCreated: true },
  );
  await t.rejects(opened, { code: 'no-lock', message: /util-linux/ });
});

t.test('a failed save says why and leaves the old identity, and the next one works', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await open(directory);
  await first.save(Buffer.from('the old identity'));
  await first.close();
  const files = new FailingFileSystem({ at: 7, error: systemError('ENOSPC'), isFinal: false });
  const file = await StateFile.open({ files, lock: lockFile }, { path: directory, names: NAMES }, { isCreated: true });
  await t.rejects(file.save(BYTES), { name: 'StateFileError', code: 'disk-full', message: new RegExp(directory) });
  t.equal((await file.read())?.toString(), 'the old identity');
  await file.save(BYTES);
  t.same(await file.read(), BYTES);
  await file.close();
});

t.test('an unreadable file is not taken for a missing one', async (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'tox_save'));
  const file = await open(directory);
  await t.rejects(file.read(), { code: 'unreadable', message: /it is not a file/ });
  await file.close();
  const files = failing('EACCES', 4);
  const denied = await StateFile.open(
    { files, lock: lockFile },
    { path: directory, names: NAMES },
    { isCreated: true },
  );
  await t.rejects(denied.read(), { code: 'unreadable', message: /tox_save \(permission denied\): make it readable/ });
  await denied.close();
});

/** The lock file is what is opened third. */
const readOnly = { files: failing('EROFS', 2), lock: lockFile };

t.test('on a read-only disk an existing identity is locked, and saved once that is possible', async (t) => {
  const directory = temporaryDirectory(t);
  await t.rejects(
    StateFile.open(readOnly, { path: directory, names: NAMES }, { isCreated: true }),
    { code: 'not-writable' },
    'none is there',
  );
  writeFileSync(join(directory, 'tox_save'), BYTES, { mode: 0o600 });
  const file = await StateFile.open(
    { ...readOnly, files: failing('EROFS', 2) },
    { path: directory, names: NAMES },
    { isCreated: true },
  );
  t.match(file.writeError, { code: 'not-writable', message: /^cannot write in .* \(read-only file system\)/ });
  t.same(await file.read(), BYTES);
  t.ok(readOnly.lock(openSync(directory, 'r')) === false, 'without a lock file it is the directory that is locked');
  await file.save(Buffer.from('newer'));
  t.equal(file.writeError, undefined);
  await t.rejects(open(directory), { code: 'in-use' });
  await file.close();
});

t.test('the process that locked a writable directory keeps it', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'tox_save'), BYTES, { mode: 0o600 });
  const file = await StateFile.open(
    { ...readOnly, files: failing('EROFS', 2) },
    { path: directory, names: NAMES },
    { isCreated: true },
  );
  const other = await open(directory);
  await t.rejects(file.save(Buffer.from('newer')), { code: 'in-use' });
  t.same(await other.read(), BYTES);
  await other.close();
  await file.close();
});

t.test('a full disk, which takes no process number, does not prevent a start', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'tox_save'), BYTES, { mode: 0o600 });
  const file = await StateFile.open(
    { files: failing('ENOSPC', 3), lock: lockFile },
    { path: directory, names: NAMES },
    { isCreated: true },
  );
  t.same(await file.read(), BYTES);
  await file.close();
});
