import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { runScript } from '../../../src/platform/runtime/code-cache.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** A script of the bundle, and the directory of its cache; `answer` has one digit. */
function world(t: Test) {
  const directory = temporaryDirectory(t);
  const [file, cache] = [join(directory, 'script-HASH.cjs'), join(directory, 'above', 'cache')];
  const write = (answer: number): void =>
    writeFileSync(
      file,
      `(function (exports, require, module, url) { exports.answer = () => ${answer}; exports.url = url; })`,
    );
  write(1);
  const url = pathToFileURL(file);
  return {
    url,
    cache,
    write,
    /** Calls the script's function, and keeps what was compiled. */
    async run(): Promise<number> {
      const { exports, keepCompiled } = runScript(url, cache);
      const answer = (exports as { answer: () => number }).answer();
      await keepCompiled();
      return answer;
    },
    stored: (): string[] => readdirSync(cache),
  };
}

t.test('a script has its exports and its address', async (t) => {
  const { url, cache } = world(t);
  t.match(runScript(url, cache).exports, { url: url.href });
});

t.test('the next run uses what was compiled', async (t) => {
  const { run, write } = world(t);
  t.equal(await run(), 1);
  // V8 compares the length alone, which is why the name of a script has a hash.
  write(2);
  t.equal(await run(), 1);
});

t.test('nothing is stored if a cache was used', async (t) => {
  const { run, cache, stored } = world(t);
  await run();
  const [name = ''] = stored();
  const before = statSync(join(cache, name)).ino;
  await run();
  t.equal(statSync(join(cache, name)).ino, before);
});

t.test('only its owner may read it', async (t) => {
  const { run, cache, stored } = world(t);
  await run();
  const [name = ''] = stored();
  t.equal(statSync(cache).mode & 0o777, 0o700);
  t.equal(statSync(join(cache, name)).mode & 0o777, 0o600);
});

t.test('a cache that V8 rejects is replaced', async (t) => {
  const { run, cache, stored, write } = world(t);
  await run();
  const [name = ''] = stored();
  writeFileSync(join(cache, name), 'damaged');
  write(2);
  t.equal(await run(), 2);
  write(3);
  t.equal(await run(), 2, 'from the new cache');
});

t.test('a cache that others can write is not used', async (t) => {
  for (const path of ['.', 'file']) {
    const { run, cache, stored, write } = world(t);
    await run();
    const [name = ''] = stored();
    chmodSync(path === '.' ? cache : join(cache, name), 0o777);
    write(2);
    t.equal(await run(), 2, path);
  }
});

t.test('nothing is stored where others can write', async (t) => {
  const { run, cache, stored } = world(t);
  mkdirSync(cache, { recursive: true });
  chmodSync(cache, 0o777);
  t.equal(await run(), 1);
  t.same(stored(), []);
});

t.test('what other versions stored is removed, and no other file', async (t) => {
  const { run, cache, stored } = world(t);
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const others = ['hosts.json', 'script', 'script-notes.txt', 'tox_save'];
  for (const name of [...others, 'script-OLD.cjs-0', 'script-OLD.cjs-0.4711']) writeFileSync(join(cache, name), '');
  await run();
  t.strictSame(
    stored().filter((name) => !name.startsWith('script-HASH')),
    others,
  );
});

t.test('a full disk leaves no unfinished file', async (t) => {
  const { run, cache, stored } = world(t);
  await run();
  const [name = ''] = stored();
  rmSync(join(cache, name));
  // The last step fails.
  mkdirSync(join(cache, name, 'inside'), { recursive: true });
  await run();
  t.strictSame(stored(), [name]);
});

t.test('no directory is created where others can write', async (t) => {
  const { run, cache } = world(t);
  const above = dirname(cache);
  mkdirSync(above);
  chmodSync(above, 0o777);
  await run();
  t.strictSame(readdirSync(above), []);
});

t.test('a directory that cannot be created changes nothing', async (t) => {
  const { url } = world(t);
  const { keepCompiled } = runScript(url, join('/dev/null', 'cache'));
  await t.resolves(keepCompiled());
});
