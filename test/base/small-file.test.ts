import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, closeSync, constants, openSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { isReadableByOthers, readSmallFile } from '../../src/base/small-file.js';
import { requirementsMet, root } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

t.test('a file is read whole, up to the limit', async (t) => {
  const path = join(temporaryDirectory(t), 'file');
  const bytes = Buffer.alloc(200_000, 'abc');
  writeFileSync(path, bytes);
  t.ok(readSmallFile(path, 200_000).equals(bytes));
  t.throws(() => readSmallFile(path, 199_999), { code: 'too-large', message: /more than 199999 bytes/ });
});

t.test('anything but a file is refused at once, and /dev/null is an empty file', async (t) => {
  const directory = temporaryDirectory(t);
  const [pipe, socket] = [join(directory, 'pipe'), join(directory, 'socket')];
  spawnSync('mkfifo', [pipe]);
  const server = createServer().listen(socket);
  await once(server, 'listening');
  t.teardown(() => server.close());
  for (const options of [{}, { mayWait: true }]) {
    for (const [path, what] of [
      [pipe, 'a pipe'],
      [socket, 'a socket or a device'],
      ['/dev/zero', 'a device'],
    ] as const) {
      const message = `cannot read ${path}: it is ${what}: name a file`;
      t.throws(() => readSmallFile(path, 1000, options), { code: 'unreadable', message });
    }
    t.equal(readSmallFile('/dev/null', 1000, options).length, 0);
  }
});

t.test('an inherited pipe is read to its end if the caller allows it', async (t) => {
  const path = join(temporaryDirectory(t), 'pipe');
  spawnSync('mkfifo', [path]);
  const given = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  t.teardown(() => closeSync(given));
  const names = [`/dev/fd/${given}`, `/proc/self/fd/${given}`];
  for (const name of names) {
    const writer = openSync(path, constants.O_WRONLY);
    writeSync(writer, 'abc');
    closeSync(writer);
    t.throws(() => readSmallFile(name, 3), { code: 'unreadable', message: /it is a pipe: name a file/ });
    t.equal(readSmallFile(name, 3, { mayWait: true }).toString(), 'abc');
  }
});

t.test('an error names the file and the reason', async (t) => {
  const directory = temporaryDirectory(t);
  symlinkSync('itself', join(directory, 'itself'));
  t.throws(() => readSmallFile(join(directory, 'none'), 1), {
    code: 'unreadable',
    message: /none: there is no such file/,
  });
  t.throws(() => readSmallFile(directory, 1), { message: /it is a directory/ });
  t.throws(() => readSmallFile(join(directory, 'itself'), 1), { message: /too many symbolic links/ });
});

t.test('a file of root that our group can read is private, another file of the group is not', async (t) => {
  if (!requirementsMet(t, root('have files of root'))) return;
  const path = join(temporaryDirectory(t), 'secret');
  writeFileSync(path, '');
  const cases: [number, number, boolean][] = [
    [process.getegid?.() ?? 0, 0o640, false],
    [process.getegid?.() ?? 0, 0o644, true],
    [65534, 0o640, true],
    [65534, 0o600, false],
  ];
  for (const [group, mode, isReadable] of cases) {
    chownSync(path, 0, group);
    chmodSync(path, mode);
    t.equal(isReadableByOthers(path), isReadable, `${group} ${mode.toString(8)}`);
  }
});
