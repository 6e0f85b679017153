import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { commandFile, ROOT } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const MODULE = new URL('../../../src/platform/runtime/source-places.js', import.meta.url).href;
const ENDPOINT = new URL('../../../src/base/endpoint.js', import.meta.url).href;

/** What a script says that runs with our stack traces. */
function said(script: string): { readonly stdout: string; readonly stderr: string } {
  const prelude = `import { nameSourcesInStacks } from '${MODULE}'; nameSourcesInStacks();`;
  return spawnSync('env', ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', prelude + script], {
    encoding: 'utf8',
  });
}

t.test('a stack names file, line and column of the source', async (t) => {
  const { stdout } = said(`
    import { Endpoint } from '${ENDPOINT}';
    try { Endpoint.ofBytes(Buffer.alloc(3), 1); } catch (error) { console.log(error.stack); }
  `);
  const line = readFileSync(join(ROOT, 'src/base/endpoint.ts'), 'utf8')
    .split('\n')
    .findIndex((text) => text.includes("16 bytes'"));
  t.match(
    stdout,
    new RegExp(
      `^RangeError: Endpoint: .*\n    at .*Endpoint\\.ofBytes \\(file://.*/src/base/endpoint\\.ts:${line + 1}:\\d+\\)\n`,
    ),
  );
  t.notMatch(stdout, /endpoint\.js/);
});

t.test('an uncaught error is reported with its place in the source', async (t) => {
  const { stderr } = said(`
    import { Endpoint } from '${ENDPOINT}';
    setImmediate(() => Endpoint.ofBytes(Buffer.alloc(3), 1));
  `);
  t.match(stderr, /RangeError: .*\n {4}at .*src\/base\/endpoint\.ts:\d+:\d+/);
});

t.test('a place without a map, or with a broken one, is shown as it is', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'bare.js'), 'export const fail = () => { throw new Error("bare"); };\n');
  writeFileSync(join(directory, 'broken.js'), 'export const fail = () => { throw new Error("broken"); };\n');
  writeFileSync(join(directory, 'broken.js.map'), '{');
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  for (const name of ['bare', 'broken']) {
    const url = pathToFileURL(join(directory, `${name}.js`)).href;
    const { stdout } = said(
      `import { fail } from '${url}'; try { fail(); } catch (error) { console.log(error.stack); }`,
    );
    t.ok(stdout.startsWith(`Error: ${name}\n    at fail (${url}:1:35)\n`), stdout);
  }
});

// The first two are CommonJS in the bundle.
for (const command of ['tuntox', 'tokssh', 'tuntoxd', 'tuntoxctl']) {
  t.test(`a bug of ${command} is reported with its place in the source when debug messages are wanted`, async (t) => {
    const fault = `data:text/javascript,process.stdout.write = () => { throw new TypeError('a fault'); };`;
    const words = ['--import', fault, commandFile(command), '--help'];
    const { stderr, status } = spawnSync('env', ['-u', 'NODE_OPTIONS', process.execPath, ...words], {
      encoding: 'utf8',
      env: { ...process.env, TUNTOX_LOG_LEVEL: 'debug' },
    });
    t.not(status, 0);
    t.match(stderr, /^(tuntox(d|ctl)?|tokssh): TypeError: a fault \(at .*\)[:\n]/);
    t.match(stderr, /please report it/);
    t.match(stderr, /src\/(cli|daemon)\/[a-z/]+\.ts:\d+:\d+\)?$/m);
  });
}
