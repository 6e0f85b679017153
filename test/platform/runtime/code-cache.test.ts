import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
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

const DAY = 86_400;

/** Puts files into the directory of the cache. @param days since each was used */
function put(cache: string, names: readonly string[], days: (index: number) => number): void {
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  names.forEach((name, index) => {
    const path = join(cache, name);
    writeFileSync(path, '');
    const time = Date.now() / 1000 - days(index) * DAY;
    utimesSync(path, time, time);
  });
}

t.test('what other versions stored is removed when it was not used for long, and no other file', async (t) => {
  const { run, cache, stored } = world(t);
  const others = ['hosts.json', 'script', 'script-notes.txt', 'tox_save'];
  const old = ['script-OLD.cjs-0', 'script-OLD.cjs-v20.0.0-x64-0', 'script-HASH.cjs-v9.0.0-pre-arm64-a7'];
  put(cache, [...others, ...old], () => 31);
  put(cache, ['script-OLD.cjs-0.4711', 'script-HASH.cjs-v20.0.0-x64-0.4711'], () => 0);
  await run();
  const [own = '', ...left] = stored().sort(
    (one, other) => Number(others.includes(one)) - Number(others.includes(other)),
  );
  t.match(own, /^script-HASH\.cjs-/);
  t.strictSame(left.sort(), others);
});

t.test('of what other versions stored, the three that were used last stay', async (t) => {
  const { run, cache, stored } = world(t);
  const others = ['script-OLD.cjs-1', 'script-OLD.cjs-v20.0.0-x64-2', 'script-HASH.cjs-v22.0.0-x64-3'];
  const more = ['script-OLD.cjs-v20.0.0-arm64-4', 'script-OLDER.cjs-v22.0.0-x64-5'];
  put(cache, [...others, ...more], (index) => index + 1);
  await run();
  t.equal(stored().length, 4);
  t.strictSame(
    stored().filter((name) => others.includes(name)),
    [...others].sort(),
  );
});

t.test('a cache that is used counts as used, and is not written', async (t) => {
  const { run, cache, stored } = world(t);
  await run();
  const [name = ''] = stored();
  const path = join(cache, name);
  const { ino } = statSync(path);
  put(cache, ['script-OLD.cjs-1'], () => 1);
  const old = Date.now() / 1000 - 40 * DAY;
  utimesSync(path, old, old);
  await run();
  t.ok(statSync(path).mtimeMs / 1000 > old + 39 * DAY);
  t.equal(statSync(path).ino, ino);
});

t.test('two versions of Node, which take turns, each use what they have stored', async (t) => {
  const { url, cache, stored } = world(t);
  const module = new URL('../../../src/platform/runtime/code-cache.js', import.meta.url);
  const program = `
    const { runScript } = await import(${JSON.stringify(module.href)});
    const { exports, keepCompiled } = runScript(new URL(${JSON.stringify(url.href)}), ${JSON.stringify(cache)});
    exports.answer();
    await keepCompiled();`;
  // The tag of V8 depends on its flags as on its version.
  const run = (flag: string) =>
    t.equal(spawnSync(process.execPath, [flag, '--input-type=module', '-e', program]).status, 0, flag);
  const files = (): string[] => stored().map((name) => `${name} ${statSync(join(cache, name)).ino}`);
  run('--stack-size=900');
  run('--stack-size=901');
  const before = files();
  t.equal(before.length, 2);
  run('--stack-size=900');
  run('--stack-size=901');
  t.same(files(), before);
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
