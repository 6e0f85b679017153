import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { readSecret } from '../../../src/cli/tuntox/given-files.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

function setUp(t: Parameters<typeof temporaryDirectory>[0]): {
  file: (content: string | Buffer, mode?: number) => string;
  warnings: string[];
  log: typeof silentLogger;
} {
  const directory = temporaryDirectory(t);
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (text: string) => warnings.push(text) };
  const file = (content: string | Buffer, mode = 0o600): string => {
    const path = join(directory, 'secret');
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };
  return { file, warnings, log };
}

t.test('a secret is the bytes of its text', async (t) => {
  const { file, warnings, log } = setUp(t);
  t.equal(readSecret({ from: 'nowhere' }, log), undefined);
  t.same(readSecret({ from: 'environment', text: 'päss' }, log), Buffer.from('päss'));
  t.same(readSecret({ from: 'file', path: file('a b\n') }, log), Buffer.from('a b'), 'without the newline at its end');
  t.same(readSecret({ from: 'file', path: file('a\r\n') }, log), Buffer.from('a'));
  t.same(readSecret({ from: 'file', path: file('a\n\n') }, log), Buffer.from('a\n'), 'only one newline');
  t.same(readSecret({ from: 'file', path: file('x'.repeat(920)) }, log)?.length, 920);
  t.same(warnings, []);
});

t.test('a secret that other users can see causes a warning that does not show it', async (t) => {
  const { file, warnings, log } = setUp(t);
  t.same(readSecret({ from: 'flag', text: 'hunter2' }, log), Buffer.from('hunter2'));
  readSecret({ from: 'file', path: file('hunter2', 0o644) }, log);
  t.match(warnings, [/other users.*--secret-file/, /other users.*chmod 600/]);
  t.notMatch(warnings.join(), 'hunter2');
});

t.test('an invalid secret is refused without showing it', async (t) => {
  const { file, log } = setUp(t);
  const long = 'canary'.repeat(160);
  const cases: [string | Buffer, RegExp][] = [
    ['', /is empty/],
    [long, /has 960 bytes: shorten it to 920/],
    ['canary\0b', /zero byte/],
  ];
  for (const [text, message] of cases) {
    for (const from of ['flag', 'environment'] as const) {
      t.throws(() => readSecret({ from, text: String(text) }, log), { code: 'usage', message });
    }
    t.throws(() => readSecret({ from: 'file', path: file(text) }, log), { code: 'bad-secret', message });
  }
  t.throws(() => readSecret({ from: 'file', path: file('\n') }, log), { message: /is empty/ });
  try {
    readSecret({ from: 'flag', text: long }, log);
  } catch (error) {
    t.notMatch(String(error), 'canary');
  }
});

t.test('a secret file that cannot be read is named', async (t) => {
  const { file, log } = setUp(t);
  const missing = join(temporaryDirectory(t), 'none');
  t.throws(() => readSecret({ from: 'file', path: missing }, log), {
    code: 'unreadable',
    message: /none: there is no/,
  });
  t.throws(() => readSecret({ from: 'file', path: file(Buffer.alloc(70_000)) }, log), { code: 'too-large' });
});

t.test(
  'a byte order mark is not part of the secret, UTF-16 is refused, and a second line causes a warning',
  async (t) => {
    const path = join(temporaryDirectory(t), 'secret');
    const warnings: string[] = [];
    const log = { ...silentLogger, warn: (text: string) => void warnings.push(text) } as typeof silentLogger;
    const read = (bytes: Buffer): Buffer | undefined => {
      writeFileSync(path, bytes, { mode: 0o600 });
      return readSecret({ from: 'file', path }, log);
    };
    t.equal(String(read(Buffer.from('\ufeffopen sesame\r\n'))), 'open sesame');
    t.throws(() => read(Buffer.from('\ufeffopen', 'utf16le')), { message: /is in UTF-16: save the file as UTF-8/ });
    t.strictSame(warnings, []);
    t.equal(String(read(Buffer.from('one\ntwo\n'))), 'one\ntwo');
    t.match(warnings, [/has more than one line/]);
  },
);
