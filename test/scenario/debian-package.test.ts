/** What `make deb` packs for each architecture, whichever one it is built on: looked at, where `make boot` and `make emulate` run it. */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { ROOT, temporaryDirectory } from '../support/processes.js';
import { requirementsMet, tool } from '../support/requirements.js';

/** Debian's word, Node's, and what readelf says of such a program. */
const ARCHITECTURES = [
  { debian: 'amd64', node: 'x64', machine: 'Advanced Micro Devices X86-64' },
  { debian: 'arm64', node: 'arm64', machine: 'AArch64' },
] as const;
/** Which package of Debian has a library. */
const OWNERS: Record<string, string> = {
  'libc.so.6': 'libc6',
  'libm.so.6': 'libc6',
  'ld-linux-x86-64.so.2': 'libc6',
  'ld-linux-aarch64.so.1': 'libc6',
  'libgcc_s.so.1': 'libgcc-s1',
  'libstdc++.so.6': 'libstdc++6',
};
/** First bytes of programs and libraries: of Linux, Windows, macOS (both byte orders, and of several machines), and archives of them. */
const MACHINE_CODE = ['7f454c46', '4d5a9000', 'cffaedfe', 'feedfacf', 'cafebabe', '213c6172'];

const MAINTAINER = { DEBFULLNAME: 'A & B of "C/D"', DEBEMAIL: 'tuntox@example.org' };

interface Package {
  readonly root: string;
  readonly files: readonly string[];
  /** Those with machine code, by their first bytes, not by their names. */
  readonly native: readonly string[];
  readonly field: (name: string) => string;
}

function output(command: string, ...words: readonly string[]): string {
  return execFileSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function build(t: Test, architecture: string): Package {
  const place = temporaryDirectory(t);
  const file = join(place, 'tuntox.deb');
  execFileSync('env', ['-u', 'NODE_OPTIONS', join(ROOT, 'packaging/deb.sh'), architecture, '1.2.3-1', file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000', ...MAINTAINER },
  });
  const root = join(place, 'root');
  output('dpkg-deb', '--extract', file, root);
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const native = files.filter((path) => MACHINE_CODE.includes(firstBytes(path)));
  return { root, files, native, field: (name) => output('dpkg-deb', '--field', file, name).trim() };
}

function firstBytes(path: string): string {
  const bytes = Buffer.alloc(4);
  const descriptor = openSync(path, 'r');
  readSync(descriptor, bytes);
  closeSync(descriptor);
  return bytes.toString('hex');
}

/** @returns the version that a dependency asks for, or undefined where the package is not asked for at all */
function versionWanted(dependencies: string, name: string): string | undefined {
  const found = dependencies.split(', ').find((one) => one.split(' ')[0] === name);
  return found === undefined ? undefined : (/\(>= ([0-9.]+)\)/.exec(found)?.[1] ?? '0');
}

/** 2.4 is older than 2.33. */
function isAtLeast(version: string, other: string): boolean {
  const [left, right] = [version, other].map((text) => text.split('.').map(Number)) as [number[], number[]];
  const at = right.findIndex((part, index) => part !== (left[index] ?? 0));
  return at === -1 || (left[at] ?? 0) > (right[at] as number);
}

for (const { debian, node, machine } of ARCHITECTURES) {
  t.test(`the package for ${debian}`, async (t) => {
    if (!requirementsMet(t, tool('dpkg-deb', 'dpkg'), tool('readelf', 'binutils'))) return;
    const { root, files, native, field } = build(t, debian);

    t.test('names that architecture, and depends on Node', async (t) => {
      t.equal(field('Architecture'), debian);
      t.equal(field('Version'), '1.2.3-1');
      t.equal(field('Maintainer'), `${MAINTAINER.DEBFULLNAME} <${MAINTAINER.DEBEMAIL}>`);
      t.equal(versionWanted(field('Depends'), 'nodejs'), '20');
    });

    t.test('has only the machine code of sodium-native and our own, for that machine', async (t) => {
      const own = existsSync(join(ROOT, `dist/native/linux-${node}.node`)) ? [`dist/native/linux-${node}.node`] : [];
      const sodium = `node_modules/sodium-native/prebuilds/linux-${node}/sodium-native.node`;
      t.same(native.map((path) => relative(join(root, 'usr/lib/tuntox'), path)).sort(), [...own, sodium].sort());
      for (const file of native)
        t.match(output('readelf', '--file-header', file), new RegExp(`Machine: +${machine}\n`));
    });

    // npm builds it for the machine that it runs on, and so it could come along unnoticed.
    t.test('has no addon by any name, and nothing of sd-notify', async (t) => {
      t.same(
        files.filter((path) => path.endsWith('.node') && !native.includes(path)),
        [],
      );
      t.same(
        files.filter((path) => relative(root, path).includes('sd-notify')),
        [],
      );
    });

    t.test('depends on all libraries that its machine code needs, in versions that have what it calls', async (t) => {
      const dependencies = field('Depends');
      const needed = [...output('readelf', '--dynamic', ...native).matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(
        ([, library]) => library as string,
      );
      t.ok(needed.includes('libc.so.6'));
      for (const library of needed) {
        const owner = OWNERS[library];
        t.ok(owner !== undefined && versionWanted(dependencies, owner) !== undefined, `${library} is in ${owner}`);
      }
      const versions = output('readelf', '--version-info', '--wide', ...native).matchAll(/GLIBC_([0-9.]+)/g);
      const called = new Set([...versions].map(([, version]) => version as string));
      t.ok(called.size > 0);
      const wanted = versionWanted(dependencies, 'libc6') as string;
      for (const version of called) t.ok(isAtLeast(wanted, version), `libc6 ${wanted} has GLIBC_${version}`);
    });
  });
}
