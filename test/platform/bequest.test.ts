import { spawn, spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import t from 'tap';
import { Bequest } from '../../src/platform/bequest.js';
import { streamsFor } from '../../src/platform/successor.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const SOURCES = new URL('../../src/', import.meta.url).href;
/** Tells what it finds, as an error or as JSON. */
const SUCCESSOR = `import { acceptBequest, isSuccessor } from '${SOURCES}platform/bequest.js';
  import { inheritedAt, takeInheritedFile } from '${SOURCES}base/inheritance.js';
  import { writeSync } from 'node:fs';
  const { TUNTOX_TEST_UID: uid } = process.env;
  process.geteuid = () => Number(uid);
  try {
    const before = isSuccessor(process);
    acceptBequest(process);
    const isOne = before && isSuccessor(process);
    const [file, open, directory] = process.argv.slice(1);
    if (isOne) writeSync(inheritedAt(open).fd, 'seen');
    console.log(JSON.stringify({ isOne, mark: process.env.TUNTOX_SUCCESSOR ?? '',
      content: takeInheritedFile(file)?.toString(), mode: inheritedAt(file)?.mode, directory: inheritedAt(directory)?.kind }));
  } catch (error) {
    console.log(JSON.stringify({ code: error.code }));
  }`;

async function leave(
  bequest: Bequest,
  parent: number | undefined,
  paths: readonly string[],
  uid = 1000,
): Promise<unknown> {
  const { NODE_OPTIONS: _recorder, ...env } = process.env;
  const child = spawn(process.execPath, ['--input-type=module', '-e', SUCCESSOR, ...paths], {
    env: { ...env, ...bequest.environment, TUNTOX_TEST_UID: String(uid) },
    stdio: streamsFor(['ignore', 'pipe', 'inherit'], bequest),
  });
  const text: Buffer[] = [];
  child.stdout?.on('data', (bytes: Buffer) => text.push(bytes));
  (child.stdio[3] as Writable).on('error', () => {}).end(bequest.encode(parent));
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(Buffer.concat(text).toString());
}

t.test('contents, open files and directories arrive by their paths', async (t) => {
  const directory = temporaryDirectory(t);
  const [file, open] = [join(directory, 'file'), join(directory, 'open')];
  // More than a pipe takes at once.
  const content = 'x'.repeat(300_000);
  writeFileSync(file, content, { mode: 0o600 });
  const bequest = new Bequest();
  bequest.addFile(join(directory, 'missing'));
  bequest.addFile(file);
  bequest.addDirectory(directory);
  const fd = openSync(open, 'w+');
  bequest.addDescriptor(open, fd);
  t.match(await leave(bequest, process.pid, [file, open, directory]), {
    ...{ isOne: true, mark: '', content, directory: 'directory' },
    mode: 0o100600,
  });
  t.equal(readFileSync(open, 'utf8'), 'seen');
  bequest.release();
  t.throws(() => fstatSync(fd), { code: 'EBADF' });
});

t.test('one that is still root, or whose first process has ended, does not go on', async (t) => {
  t.same(await leave(new Bequest(), undefined, [], 0), { code: 'still-root' });
  t.same(await leave(new Bequest(), process.pid + 1, []), { code: 'orphan' });
});

t.test('who is told to be one, and is none, does not go on', async (t) => {
  const { NODE_OPTIONS: _recorder, ...env } = process.env;
  const nothing = openSync('/dev/null', 'r');
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', SUCCESSOR], {
    env: { ...env, TUNTOX_SUCCESSOR: '1', TUNTOX_TEST_UID: '1000' },
    stdio: ['ignore', 'pipe', 'inherit', nothing],
    encoding: 'utf8',
  });
  closeSync(nothing);
  t.same(JSON.parse(stdout), { code: 'unreadable' });
});

t.test('what is no plain file is read to its end, and what never ends is not left', async (t) => {
  const bequest = new Bequest();
  bequest.addFile('/dev/zero');
  bequest.addFile('/dev/null');
  const [head] = bequest.encode(undefined).toString().split('\n');
  t.match(JSON.parse(head ?? ''), { entries: [{ path: '/dev/null', size: 0 }] });
});
