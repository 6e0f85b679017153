import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readUpTo } from '../../src/base/bounded-read.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

t.test('a short file is read whole, and an endless one up to the limit', async (t) => {
  const path = join(temporaryDirectory(t), 'file');
  const content = Buffer.alloc(150_000, 'abc');
  writeFileSync(path, content);
  for (const [from, limit, expected] of [
    [path, 200_000, content],
    [path, 70_000, content.subarray(0, 70_000)],
    ['/dev/zero', 100_001, Buffer.alloc(100_001)],
  ] as const) {
    const fd = openSync(from, 'r');
    t.ok(readUpTo(fd, limit).equals(expected), `${from}, ${limit}`);
    closeSync(fd);
  }
});
