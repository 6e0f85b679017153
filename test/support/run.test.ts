import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { temporaryDirectory } from './temporary-directory.js';

const program = fileURLToPath(new URL('run.js', import.meta.url));
const TAP = JSON.stringify(import.meta.resolve('tap'));

/** Runs files with these contents. @param seconds for each of them */
function run(
  t: Test,
  files: Readonly<Record<string, string>>,
  seconds = 30,
): { readonly status: number | null; readonly text: string } {
  const directory = temporaryDirectory(t);
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  });
  const { status, stdout } = spawnSync(process.execPath, [program, '2', String(seconds), ...paths], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return { status, text: stdout.replaceAll(`${directory}/`, '') };
}

t.test('each file becomes a subtest with what it said, and the plan counts files', async (t) => {
  const { status, text } = run(t, {
    'a.mjs': `import t from ${TAP}; t.test('one', async (t) => t.ok(true, 'yes'));`,
    'b.mjs': `import t from ${TAP}; t.test('two', async (t) => t.ok(true));`,
  });
  t.equal(status, 0);
  t.match(text, /^TAP version 14\n1\.\.2\n/);
  t.match(text, /^# Subtest: a\.mjs\n {4}# Subtest: one\n {8}ok 1 - yes\n {8}1\.\.1\n {4}ok 1 - one/m);
  t.match(text, /^ok [12] - b\.mjs # time=\d+ms$/m);
});

const FAILURES: readonly (readonly [what: string, text: string, detail: RegExp])[] = [
  ['a test that fails', `import t from ${TAP}; t.test('one', async (t) => t.ok(false));`, /exitCode: 1/],
  ['a file that throws', `throw new Error('no');`, /exitCode: 1/],
  ['a file that a signal ends', `process.kill(process.pid, 'SIGKILL');`, /signal: SIGKILL/],
  ['a file without tests', ``, /reason: no tests found/],
];

for (const [what, text, detail] of FAILURES) {
  t.test(`${what} fails, and does not take others with it`, async (t) => {
    const good = `import t from ${TAP}; t.test('one', async (t) => t.ok(true));`;
    const { status, text: said } = run(t, { 'a.mjs': text, 'b.mjs': good });
    t.equal(status, 1);
    t.match(said, /^not ok [12] - a\.mjs # time=\d+ms\n {2}---\n(.*\n)* {2}\.\.\.$/m);
    t.match(said, detail);
    t.match(said, /^ok [12] - b\.mjs/m);
  });
}

t.test('a file that hangs is ended, and named', async (t) => {
  const { status, text } = run(t, { 'a.mjs': 'setInterval(() => {}, 1000);' }, 1);
  t.equal(status, 1);
  t.match(text, /^not ok 1 - a\.mjs # time=\d+ms\n {2}---\n {2}expired: a\.mjs\n/m);
});

t.test('a file that cannot be asked to end is killed', async (t) => {
  // It has to be able to say so before its time is over, also where it starts slowly.
  const { text } = run(t, { 'a.mjs': "process.on('SIGALRM', () => {}); setInterval(() => {}, 1000);" }, 5);
  t.match(text, /signal: SIGKILL/);
});
