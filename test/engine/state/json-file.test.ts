import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { nodeFileSystem } from '../../../src/engine/state/file-system.js';
import { JsonFile, type JsonFormat } from '../../../src/engine/state/json-file.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { NAMES } from '../support/names.js';

const FORMAT: JsonFormat<string> = {
  name: 'text.json',
  version: 1,
  initial: '',
  encode: (text) => ({ text }),
  decode: ({ text }) => {
    if (typeof text !== 'string' || text === 'wrong') throw new Error('its "text" is wrong');
    return text;
  },
};

t.test('what could not be read again is not written', async (t) => {
  const directory = { path: temporaryDirectory(t), names: NAMES };
  const file = await JsonFile.open(nodeFileSystem, directory, FORMAT);
  const path = join(directory.path, 'text.json');
  await file.change(() => 'right');
  const before = readFileSync(path, 'utf8');
  for (const [text, why] of [
    ['wrong', 'its "text" is wrong'],
    ['x'.repeat(8 * 1024 * 1024), '8388641 bytes are too many'],
  ] as const) {
    const message = `this cannot be stored in ${path} (${why}), so nothing has changed`;
    await t.rejects(
      file.change(() => text),
      { code: 'not-writable', message },
    );
    t.equal(file.value, 'right');
    t.equal(readFileSync(path, 'utf8'), before);
  }
  await file.change(() => 'other');
  t.equal((await JsonFile.open(nodeFileSystem, directory, FORMAT)).value, 'other');
});

t.test('a file of an older version is read where the format knows it, and no other', async (t) => {
  const directory = { path: temporaryDirectory(t), names: NAMES };
  const path = join(directory.path, 'text.json');
  const open = (version: unknown) => {
    writeFileSync(path, JSON.stringify({ version, text: 'right' }));
    return JsonFile.open(nodeFileSystem, directory, { ...FORMAT, version: 3, oldest: 2 });
  };
  for (const version of [2, 3]) t.equal((await open(version)).value, 'right');
  t.match((await open(4)).error, { code: 'newer' });
  for (const version of [1, 2.5, '2', null, undefined])
    t.match((await open(version)).error, { code: 'corrupt' }, String(version));
  const file = await open(2);
  await file.change(() => 'other');
  t.match(JSON.parse(readFileSync(path, 'utf8')), { version: 3 });
});
