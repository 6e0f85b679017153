import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { forgetSecrets, helperEnvironment } from '../../src/base/helper-environment.js';
import { SETTING_LIST } from '../../src/config/setting-list.js';

/** Seen from dist/test/base. */
const SOURCES = fileURLToPath(new URL('../../../src/', import.meta.url));
/** They start this program once more, which has to find what it was started with. */
/** And ssh, which is the user's own command. */
const OURSELVES = [
  'platform/process/background.ts',
  'platform/process/foreground-program.ts',
  'platform/process/parent-process.ts',
];

t.test('a helper program inherits neither the secret nor the password of a proxy', async (t) => {
  const environment = {
    ...{ TUNTOX_SHARED_SECRET: 'secret', ALL_PROXY: 'socks5://me:password@proxy', all_proxy: 'x', PATH: '/bin' },
    ...{ TZ: 'UTC', NOTIFY_SOCKET: '/run/notify', TUNTOX_NETWORK_PROXY: 'socks5://me:password@proxy' },
  };
  t.same(helperEnvironment(environment), { PATH: '/bin', TZ: 'UTC' });
  t.same(helperEnvironment(environment, ['NOTIFY_SOCKET']), { PATH: '/bin', TZ: 'UTC', NOTIFY_SOCKET: '/run/notify' });
});

t.test('only secrets are deleted from the environment', async (t) => {
  const environment = { TUNTOX_SHARED_SECRET: 's', TUNTOX_LOG_LEVEL: 'debug', all_proxy: 'x', PATH: '/bin' };
  forgetSecrets(environment);
  t.same(environment, { TUNTOX_LOG_LEVEL: 'debug', PATH: '/bin' });
  const list = SETTING_LIST;
  const sensitive = [...list.values()].filter(({ isSensitive }) => isSensitive);
  t.ok(sensitive.length > 0);
  const all = Object.fromEntries(sensitive.map(({ variable }) => [variable, 'secret']));
  forgetSecrets(all);
  t.same(all, {}, 'every setting that may hold one');
});

t.test('only this program itself is started with the whole environment', async (t) => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const starting = files.filter((file) => {
    const text = readFileSync(`${SOURCES}${file}`, 'utf8');
    const starts = text.match(/\b(trySpawn|spawnSync)\(/g)?.length ?? 0;
    const isDefinition = file === 'platform/process/child.ts';
    return !isDefinition && starts > (text.match(/\benv: helperEnvironment\(/g)?.length ?? 0);
  });
  t.same(starting.sort(), OURSELVES);
});

t.test('programs are started only in the two ways that the test above finds', async (t) => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  for (const file of files) {
    const names = /import (?:type )?\{([^}]*)\} from 'node:child_process'/.exec(
      readFileSync(`${SOURCES}${file}`, 'utf8'),
    )?.[1];
    const functions = (names ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => /^[a-z]/.test(name) && !name.startsWith('type '));
    const allowed = file === 'platform/process/child.ts' ? 'spawn' : 'spawnSync';
    t.same(
      functions.filter((name) => name !== allowed),
      [],
      file,
    );
  }
});
