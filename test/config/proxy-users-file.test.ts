import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import { readProxyUsersFile } from '../../src/config/proxy-users-file.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

function read(t: Test, text: string | Buffer, mode = 0o600) {
  const path = join(temporaryDirectory(t), 'users');
  writeFileSync(path, text);
  chmodSync(path, mode);
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (line: string) => void warnings.push(line) };
  return { users: readProxyUsersFile(path, log), warnings };
}

t.test('a file has a line for each user, whose password may have colons', async (t) => {
  t.same(read(t, '\ufeffann:one\r\n\nbob:a:b c\n').users, [
    { name: 'ann', password: 'one' },
    { name: 'bob', password: 'a:b c' },
  ]);
});

t.test('a file that others can read causes a warning', async (t) => {
  t.same(read(t, 'ann:one').warnings, []);
  t.match(read(t, 'ann:one', 0o644).warnings, [/^other users can read the passwords: run chmod 600 .*users$/]);
});

t.test('errors name the line, and show no password', async (t) => {
  for (const [text, message] of [
    ['ann:one\ncanary', /^line 2 of .*users is not USER:PASSWORD$/],
    [':canary', /^line 1 of .*users is not USER:PASSWORD$/],
    ['canary:', /^line 1 of .*users is not USER:PASSWORD$/],
    [
      `ann:canary${'x'.repeat(255)}`,
      /^line 1 of .*users has a user or password that is too long: use at most 255 bytes$/,
    ],
    ['\n \n', /users is empty: write a line USER:PASSWORD$/],
    [Buffer.from('\ufeffann:canary', 'utf16le'), /users is in UTF-16: save the file as UTF-8$/],
  ] as const) {
    t.throws(() => read(t, text), { message, code: 'bad-secret' });
    try {
      read(t, text);
    } catch (error) {
      t.notMatch(String(error), /canary/);
    }
  }
});
