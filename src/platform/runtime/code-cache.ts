/**
 * Runs a script of the bundle with what V8 compiled of it in an earlier run: that saves a new client 60 ms. V8 does not verify the content
 * of such a code cache, so it has to be as trustworthy as the script itself.
 */
// Node loads `promises` when it is first used.
import { existsSync, promises, readFileSync, statSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { systemClock } from '../../base/clock.js';
import { untrustedPart } from '../process/trusted-path.js';
import { withFlagsOfStart } from './v8-flags.js';

/** Caches of this many versions of the script and of Node, of 2 MB each, are kept: those that were used last. */
const MAX_KEPT = 4;
/** s for which a cache is kept that is not used, and for which its time of use may be wrong. */
const MAX_UNUSED = 30 * 86_400;
const PRECISION = 86_400;

/** A function of these four parameters. `url` stands for import.meta.url, which a script does not have. */
type Body = (exports: object, require: NodeJS.Require, module: { readonly exports: object }, url: string) => void;

export interface RunningScript {
  readonly exports: object;
  /** Stores what is compiled by now, once and only if nothing was stored before. Never rejects. */
  keepCompiled(): Promise<void>;
}

/**
 * @param file its name has a hash of its content: V8 compares only the length
 * @param directory for the cache; it need not exist
 */
export function runScript(file: URL, directory: string): RunningScript {
  const { tag, path, cachedData, script } = withFlagsOfStart(() => compile(file, directory));
  const module = { exports: {} };
  (script.runInThisContext() as Body)(module.exports, createRequire(file), module, file.href);
  let isKept = cachedData !== undefined && script.cachedDataRejected !== true;
  if (isKept) noteUse(path);
  return {
    exports: module.exports,
    async keepCompiled() {
      if (isKept || !mayStoreIn(directory)) return;
      isKept = true;
      const bytes = withFlagsOfStart(() => (cachedDataVersionTag() === tag ? script.createCachedData() : undefined));
      if (bytes !== undefined) await store(bytes, path, directory).catch(() => {});
    },
  };
}

function compile(file: URL, directory: string) {
  const tag = cachedDataVersionTag();
  // Two versions of Node may have the same tag.
  const name = [basename(fileURLToPath(file)), process.version, process.arch, tag.toString(16)].join('-');
  const path = join(directory, name);
  const cachedData = readTrusted(path);
  // ASCII, which is read faster without being decoded.
  const script = new Script(readFileSync(file, 'latin1'), { filename: file.href, ...(cachedData && { cachedData }) });
  return { tag, path, cachedData, script };
}

/** Undefined if there is none, or another user than root could have written it. */
function readTrusted(path: string): Buffer | undefined {
  try {
    return isTrusted(path) ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** Sets its modification time. A cache of root's stays as it is. */
function noteUse(path: string): void {
  try {
    const now = systemClock.unixTime();
    if (Math.abs(now - statSync(path).mtimeMs / 1000) > PRECISION) utimesSync(path, now, now);
  } catch {
    // Then it counts as not used.
  }
}

/** False where files have no owners. */
function isTrusted(path: string): boolean {
  const user = process.geteuid?.();
  return user !== undefined && untrustedPart(path, user) === undefined;
}

/** Whether only this user can write in a directory, or where it would be created. */
function mayStoreIn(directory: string): boolean {
  const above = dirname(directory);
  if (!existsSync(directory) && above !== directory) return mayStoreIn(above);
  try {
    return isTrusted(directory);
  } catch {
    return false;
  }
}

/** Removes what other versions stored long ago. @throws system errors */
async function store(bytes: Buffer, path: string, directory: string): Promise<void> {
  const { mkdir, open, rename, rm } = promises;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const unfinished = `${path}.${process.pid}`;
  try {
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      // After a power failure the file may not be a part of the whole.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await removeOthers(path, directory);
}

/** Also unfinished ones; the directory may have other files. @throws system errors */
async function removeOthers(path: string, directory: string): Promise<void> {
  const ours = namesLike(path);
  const others: { readonly path: string; readonly usedAt: number }[] = [];
  for (const name of await promises.readdir(directory)) {
    const [, unfinished] = ours.exec(name) ?? [];
    if (unfinished === undefined || name === basename(path)) continue;
    const other = join(directory, name);
    others.push({ path: other, usedAt: unfinished === '' ? (await promises.lstat(other)).mtimeMs / 1000 : 0 });
  }
  others.sort((one, other) => other.usedAt - one.usedAt);
  const oldest = systemClock.unixTime() - MAX_UNUSED;
  const removed = others.filter(({ usedAt }, index) => index >= MAX_KEPT - 1 || usedAt < oldest);
  for (const other of removed) await promises.rm(other.path, { force: true });
}

/** Of the caches of each version of a script and of Node; the group is not empty for unfinished ones. */
function namesLike(path: string): RegExp {
  const [script = ''] = basename(path).split('-', 1);
  return new RegExp(`^${script}-[0-9A-Z]+\\.cjs-(?:v[0-9A-Za-z.+-]+-)?[0-9a-f]+((?:\\.[0-9]+)?)$`);
}
