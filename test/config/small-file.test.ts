import { chmodSync, chownSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isReadableByOthers, readSmallFile } from '../../src/config/small-file.js';
import { requirementsMet, root } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

t.test('a file is read whole, up to the limit', async (t) => {
  const path = join(temporaryDirectory(t), 'file');
  const bytes = Buffer.alloc(200_000, 'abc');
  writeFileSync(path, bytes);
  t.ok(readSmallFile(path, 200_000).equals(bytes));
  t.throws(() => readSmallFile(path, 199_999), { code: 'too-large', message: /more than 199999 bytes/ });
});

t.test('what has no end is not read for ever', async (t) => {
  t.throws(() => readSmallFile('/dev/zero', 1000), { code: 'too-large' });
});

t.test('what cannot be read is named with its reason', async (t) => {
  const directory = temporaryDirectory(t);
  symlinkSync('itself', join(directory, 'itself'));
  t.throws(() => readSmallFile(join(directory, 'none'), 1), {
    code: 'unreadable',
    message: /none: there is no such file/,
  });
  t.throws(() => readSmallFile(directory, 1), { message: /it is a directory/ });
  t.throws(() => readSmallFile(join(directory, 'itself'), 1), { message: /it cannot be read, ELOOP/ });
});

t.test('a file of root that our group may read is private, others of a group are not', async (t) => {
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
