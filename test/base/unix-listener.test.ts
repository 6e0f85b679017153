import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listenAtPath } from '../../src/base/unix-listener.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

function pathIn(t: Test): string {
  return join(temporaryDirectory(t), 'a.sock');
}

/** @returns a function that ends it */
async function listen(t: Test, path: string): Promise<() => void> {
  const server = createServer();
  t.teardown(() => server.close());
  return listenAtPath(server, path);
}

const CRASH = "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";

t.test('only its user may connect, and the socket is gone with its server', async (t) => {
  const path = pathIn(t);
  const umask = process.umask();
  const close = await listen(t, path);
  t.ok(lstatSync(path).isSocket());
  t.equal(lstatSync(path).mode & 0o777, 0o600);
  t.equal(process.umask(), umask, 'other files are made as before');
  close();
  t.notOk(existsSync(path));
});

t.test('the socket of a process that was killed is replaced', async (t) => {
  const path = pathIn(t);
  t.equal(spawnSync(process.execPath, ['-e', CRASH, path]).signal, 'SIGKILL');
  t.ok(lstatSync(path).isSocket());
  await listen(t, path);
});

t.test('where a process listens, nothing changes', async (t) => {
  const path = pathIn(t);
  await listen(t, path);
  const { ino } = lstatSync(path);
  await t.rejects(listen(t, path), {
    code: 'in-use',
    message: `another program listens on ${path}: choose another path`,
  });
  t.equal(lstatSync(path).ino, ino);
});

t.test('of two at once one gets a dead socket, and the other learns that it is in use', async (t) => {
  const path = pathIn(t);
  spawnSync(process.execPath, ['-e', CRASH, path]);
  const results = await Promise.allSettled([listen(t, path), listen(t, path)]);
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  t.match(
    results.find(({ status }) => status === 'rejected'),
    { reason: { code: /in-use|EADDRINUSE/ } },
  );
});

t.test('what stands in the place of a socket that somebody removed is not removed at the end', async (t) => {
  const directory = temporaryDirectory(t);
  const [path, other] = [join(directory, 'a.sock'), join(directory, 'b.sock')];
  const ends = [await listen(t, path), await listen(t, other)];
  for (const one of [path, other]) rmSync(one);
  writeFileSync(path, 'precious');
  await listen(t, other);
  for (const end of ends) end();
  t.equal(readFileSync(path, 'utf8'), 'precious');
  t.ok(lstatSync(other).isSocket(), 'that of another process');
});

t.test('what is not a socket is never removed', async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'file');
  writeFileSync(file, 'precious');
  const link = join(directory, 'link');
  symlinkSync(join(directory, 'nothing'), link);
  mkdirSync(join(directory, 'sub'));
  for (const path of [file, link])
    await t.rejects(listen(t, path), { code: 'not-a-socket', message: /move it away/ }, path);
  await t.rejects(listen(t, join(directory, 'sub')), { code: 'not-a-socket', message: /name a socket in it/ });
  t.equal(readFileSync(file, 'utf8'), 'precious');
  t.ok(lstatSync(link).isSymbolicLink());
});

t.test('a path that does not fit is refused, because Node would cut it off', async (t) => {
  const path = `/tmp/${'ä'.repeat(60)}`;
  await t.rejects(listen(t, path), { code: 'too-long', message: /at most 107 bytes/ });
});
