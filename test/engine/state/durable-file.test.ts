import { lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { replaceFile } from '../../../src/engine/state/durable-file.js';
import { nodeFileSystem } from '../../../src/engine/state/file-system.js';
import { FailingFileSystem, systemError } from '../../support/failing-file-system.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const OLD = Buffer.from('the old content, which is rather long');
const FOLLOWED = { mode: 0o600, link: 'followed' } as const;
const NEW = Buffer.from('the new content');

t.test('a file is written with its permissions, and no other file is left', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'file');
  await replaceFile(nodeFileSystem, path, OLD, FOLLOWED);
  await replaceFile(nodeFileSystem, path, NEW, FOLLOWED);
  t.same(readFileSync(path), NEW);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(readdirSync(directory), ['file']);
});

t.test('a link stays a link', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'real'), OLD);
  symlinkSync('real', join(directory, 'link'));
  await replaceFile(nodeFileSystem, join(directory, 'link'), NEW, FOLLOWED);
  t.ok(lstatSync(join(directory, 'link')).isSymbolicLink());
  t.same(readFileSync(join(directory, 'real')), NEW);
});

t.test('a link planted at the temporary name is not written through', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'victim'), OLD);
  symlinkSync('victim', join(directory, 'file.tmp'));
  await replaceFile(nodeFileSystem, join(directory, 'file'), NEW, FOLLOWED);
  t.same(readFileSync(join(directory, 'victim')), OLD);
  t.same(readFileSync(join(directory, 'file')), NEW);
});

/** How many operations a replacement takes: each of them is a place where it can go wrong. */
async function operations(t: Parameters<typeof temporaryDirectory>[0]): Promise<number> {
  const files = new FailingFileSystem({ at: -1, error: systemError('NEVER'), isFinal: false });
  const path = join(temporaryDirectory(t), 'file');
  writeFileSync(path, OLD);
  await replaceFile(files, path, NEW, FOLLOWED);
  return files.count;
}

t.test('killed at any step, the old or the new content is there, whole, and the next try works', async (t) => {
  const seen = new Set<string>();
  for (let at = 0; at < (await operations(t)); at += 1) {
    const path = join(temporaryDirectory(t), 'file');
    writeFileSync(path, OLD);
    const files = new FailingFileSystem({ at, error: systemError('KILLED'), isFinal: true });
    await t.rejects(replaceFile(files, path, NEW, FOLLOWED), { code: 'KILLED' });
    seen.add(readFileSync(path).toString());
    await replaceFile(nodeFileSystem, path, NEW, FOLLOWED);
    t.same(readFileSync(path), NEW);
  }
  t.same([...seen].sort(), [NEW.toString(), OLD.toString()]);
});

t.test('an error at any step is reported, and leaves the content whole and no litter', async (t) => {
  for (let at = 0; at < (await operations(t)); at += 1) {
    const directory = temporaryDirectory(t);
    const path = join(directory, 'file');
    writeFileSync(path, OLD);
    const files = new FailingFileSystem({ at, error: systemError('ENOSPC'), isFinal: false });
    await t.rejects(replaceFile(files, path, NEW, FOLLOWED), { code: 'ENOSPC' });
    t.ok([OLD, NEW].some((content) => content.equals(readFileSync(path))));
    t.same(readdirSync(directory), ['file']);
  }
});
