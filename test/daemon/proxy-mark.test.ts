import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import { proxyMark, SYSTEM_PATHS } from '../../src/config/daemon-paths.js';
import { loadSettings } from '../../src/config/daemon-settings.js';
import { markProxy, unmarkProxy } from '../../src/daemon/proxy-mark.js';
import { nodeFileSystem } from '../../src/engine/state/file-system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const PROXY = 'socks5://127.0.0.1:9050';
const TEXT = `network: { proxy: "${PROXY}" }`;

/** A daemon whose default settings file has this text. */
function daemon(t: Test, text: string) {
  const directory = temporaryDirectory(t);
  const config = join(directory, 'tuntox.yaml');
  writeFileSync(config, text);
  const paths = { ...SYSTEM_PATHS, config, stateDirectory: directory };
  const mark = proxyMark(directory);
  const warned: string[] = [];
  /** Whether the mark was there before the daemon sent anything. */
  const seen: boolean[] = [];
  const log = { ...silentLogger, warn: (line: string) => warned.push(line) };
  return {
    mark,
    seen,
    warned,
    start: async (environment: Record<string, string> = {}, configFile?: string): Promise<boolean> => {
      const { settings } = loadSettings({ configFile, flags: [], environment, paths });
      await markProxy({ log, files: nodeFileSystem }, settings);
      seen.push(existsSync(mark));
      await unmarkProxy({ log, files: nodeFileSystem }, settings);
      return existsSync(mark);
    },
  };
}

t.test('a proxy is marked, privately, before the start, until a daemon has started without it', async (t) => {
  const { start, mark, seen, warned } = daemon(t, '');
  t.equal(await start(), false);
  t.equal(await start({ TUNTOX_NETWORK_PROXY: PROXY }), true);
  t.equal(statSync(mark).mode & 0o777, 0o600);
  t.equal(await start(), false);
  t.same(seen, [false, true, true]);
  t.same(warned, []);
});

t.test('so is one of the settings file, which tuntox may look for elsewhere', async (t) => {
  const { start } = daemon(t, TEXT);
  t.equal(await start(), true);
  const other = join(temporaryDirectory(t), 'other.yaml');
  writeFileSync(other, TEXT);
  t.equal(await start({}, other), true);
});

t.test('a mark that cannot be changed is a warning', async (t) => {
  const { start, mark, warned } = daemon(t, '');
  mkdirSync(join(mark, 'inside'), { recursive: true });
  await start({ TUNTOX_NETWORK_PROXY: PROXY });
  await start();
  t.match(warned, [/^cannot change .*daemon_proxy/, /^cannot change .*daemon_proxy/]);
});
