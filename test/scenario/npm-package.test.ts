/** What `npm pack` makes, and what `npm install -g` of it brings: what runs, and nothing more. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commandFile, ROOT, startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { daemonPlace } from './support/daemon-command.js';

type Names = Readonly<Record<string, string>>;

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const { dependencies, optionalDependencies } = JSON.parse(read('package.json')) as Record<string, Names>;
const { packages } = JSON.parse(read('package-lock.json')) as {
  packages: Record<string, { version: string; integrity?: string; dev?: boolean; dependencies?: Names }>;
};

t.test('the npm package depends only on machine code', async (t) => {
  t.same(Object.keys(dependencies ?? {}), ['sodium-native']);
  t.same(Object.keys(optionalDependencies ?? {}), ['sd-notify']);
});

/** Its maintainer's account was taken in May 2026, and other versions near this one steal what they find. */
t.test('node-ipc is the one version that was reviewed, and is needed only for the build', async (t) => {
  const all = Object.entries(packages).filter(([path]) => path.endsWith('node_modules/node-ipc'));
  t.match(all, [
    [
      'node_modules/node-ipc',
      {
        version: '12.0.0',
        integrity: 'sha512-QHJ2gAJiqA3cM7cQiRjLsfCOBRB0TwQ6axYD4FSllQWipEbP6i7Se1dP8EzPKk5J1nCe27W69eqPmCoKyQ61Vg==',
        dev: true,
      },
    ],
  ]);
  t.equal(JSON.parse(read('package.json')).devDependencies['node-ipc'], '12.0.0');
});

t.test('no script of a package runs when it is installed here', async (t) => {
  t.match(read('.npmrc'), /^ignore-scripts=true$/m);
});

t.test('the npm package runs as packed, with the machine code next to it', async (t) => {
  const place = temporaryDirectory(t);
  const env = { ...process.env, npm_config_update_notifier: 'false', npm_config_cache: join(place, 'cache') };
  const packed = ['pack', '--loglevel=error', '--pack-destination', place];
  execFileSync('env', ['-u', 'NODE_OPTIONS', 'npm', ...packed], { cwd: ROOT, env, stdio: 'ignore' });
  const file = readdirSync(place).find((name) => name.endsWith('.tgz')) as string;
  const modules = join(place, 'node_modules');
  mkdirSync(modules);
  execFileSync('tar', ['-xzf', join(place, file), '-C', modules]);
  cpSync(join(ROOT, 'node_modules/sodium-native'), join(modules, 'sodium-native'), { recursive: true });
  const root = join(modules, 'package');
  const run = (name: string, ...words: readonly string[]) =>
    startProgram(name, ['env', '-u', 'NODE_OPTIONS', process.execPath, commandFile(name, root), ...words]);
  const { config, socket } = daemonPlace(t, undefined);
  const daemon = run('tuntoxd', '--config', config);
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.waitFor(/is ready: /);
  const ctl = run('tuntoxctl', 'id', '--socket', socket);
  t.equal(await ctl.exited, 0, ctl.stderr);
  t.equal(await daemon.stop(), 0);
  t.same(readdirSync(root).sort(), ['LICENSE', 'README.md', 'dist', 'etc', 'package.json']);
  t.match(readFileSync(join(root, 'dist/bin/NOTICE'), 'utf8'), /^libsodium, /m);
});
