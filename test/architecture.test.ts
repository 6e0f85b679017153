import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readTables, type Sources, sizesOf, violationsOf } from './support/architecture.js';
import { codeOf, importsOf, staticImportsOf } from './support/source-text.js';

/** Seen from dist/test. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const tables = readTables(readFileSync(`${ROOT}docs/architecture.md`, 'utf8'));

function readSources(): Sources {
  const files = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(files.sort().map((file) => [file, readFileSync(`${ROOT}src/${file}`, 'utf8')]));
}

/** What is found in fabricated files, which replace nothing of the real ones. */
const findIn = (files: Readonly<Record<string, string>>): string[] =>
  violationsOf(new Map(Object.entries(files)), tables);

t.test('the sources keep the rules of docs/architecture.md', async (t) => {
  const sources = readSources();
  t.ok(sources.size > 50, 'sources were found');
  for (const violation of violationsOf(sources, tables)) t.fail(violation);
});

t.test('every owner in the table that exists is a file, and imports what it owns', async (t) => {
  const sources = readSources();
  for (const [module, owner] of [...tables.owners].flatMap(([one, owners]) =>
    owners.map((owner) => [one, owner] as const),
  )) {
    const source = sources.get(owner);
    if (source === undefined) continue;
    t.ok(
      importsOf(source).some(({ specifier }) => specifier === module),
      `${owner} imports ${module}`,
    );
  }
  t.ok(sources.has('tox/crypto/sodium.ts'));
});

/** Where a client begins that uses the agent, and what it loads when it knows that. */
const LIGHT_PATH = [
  ...['bin/tuntox.ts', 'cli/tuntox/main.ts', 'cli/tuntox/settings.ts', 'cli/tuntox/modes/agent-commands.ts'],
  ...['cli/tuntox/light.ts', 'cli/tuntox/agent/agent-route.ts', 'cli/tuntox/agent/run-by-agent.ts'],
];

t.test('a client that uses the agent loads no module of others', async (t) => {
  const sources = readSources();
  const loaded = new Map<string, string>(LIGHT_PATH.map((file) => [file, '']));
  const others: string[] = [];
  for (const file of loaded.keys()) {
    const source = sources.get(file);
    t.type(source, 'string', file);
    for (const specifier of staticImportsOf(source ?? '')) {
      const path = posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');
      if (specifier.startsWith('.')) loaded.set(path, file);
      else if (!specifier.startsWith('node:')) others.push(`${file} loads ${specifier}`);
    }
  }
  t.same(others, []);
  t.ok(loaded.size > 30, 'it was followed');
  t.equal(loaded.get('tox/crypto/sodium.ts'), undefined, 'nor machine code');
});

t.test('types and dynamic imports load nothing', async (t) => {
  const source = `import type { A } from './a.js';
import { type B, type C } from './b.js';
import { type D, e } from './d.js';
import * as f from 'f';
import 'g';
const h = await import('./h.js');`;
  t.same(staticImportsOf(source), ['./d.js', 'f', 'g']);
});

t.test('every class and dependencies object in the table of larger ones exists', async (t) => {
  const names = new Set([...readSources().values()].flatMap((text) => sizesOf(codeOf(text)).map(({ name }) => name)));
  t.ok(names.size > 100, 'classes were found');
  for (const name of tables.larger.keys()) t.ok(names.has(name), name);
});

t.test('the table is read whole', async (t) => {
  t.same(tables.mayImport.get('base'), []);
  t.same(tables.mayImport.get('tox/onion'), ['base', 'tox/crypto', 'tox/packet', 'tox/network']);
  t.same(tables.mayImport.get('bin'), ['platform', 'daemon', 'cli/ctl', 'cli/tuntox']);
  t.same(tables.owners.get('winston'), ['platform/logging/winston-logger.ts']);
  t.ok((tables.larger.get('ConnectionHost') ?? 0) > 7);
  t.throws(() => readTables('# Nothing'), /no table/);
});

t.test('finds nothing where nothing is wrong', async (t) => {
  const found = findIn({
    'base/bytes.ts': "import { inspect } from 'node:util';\nexport const a = inspect;\n",
    'base/clock.ts': 'export const now = (): number => Date.now() + performance.now();\n',
    'tox/dht/dht.ts':
      "import { a } from '../../base/bytes.js';\n// Date, setTimeout(), process.exit()\nconst s = 'Date';\n",
    'cli/tuntox/modes/server.ts': "import type { b } from '../flags.js';\n",
    'cli/tuntox/flags.ts': 'export const b = { Date: 1 };\n',
  });
  t.same(found, []);
});

/** A class with public members of each form, of which the last two are one, and private ones. */
const classWith = (name: string, members: number): string => {
  const methods = Array.from({ length: members - 4 }, (_, index) => `  m${index}(): void {\n    return;\n  }\n`);
  return `export class ${name} {\n  readonly a = 1;\n  static b = 2;\n  readonly #c = 3;\n  constructor() {}\n  private d(): void {}\n  async e(): void {}\n  get f() {}\n  set f(x) {}\n${methods.join('')}}\n`;
};

const depsWith = (name: string, members: number): string =>
  `interface ${name} {\n${Array.from({ length: members }, (_, index) => `  readonly m${index}: number;\n`).join('')}}\n`;

const CASES: readonly (readonly [string, RegExp, Readonly<Record<string, string>>])[] = [
  [
    'an import against the table',
    /tox\/dht may not import tox\/onion/,
    {
      'tox/dht/a.ts': "import { b } from '../onion/b.js';",
      'tox/onion/b.ts': '',
    },
  ],
  [
    'an import of a type against the table',
    /tunnel may not import tox\/crypto/,
    {
      'tunnel/a.ts': "import type {\n  PublicKey,\n} from '../tox/crypto/keys.js';",
      'tox/crypto/keys.ts': '',
    },
  ],
  [
    'a dynamic import against the table',
    /base may not import tunnel/,
    {
      'base/a.ts': "const b = await import('../tunnel/b.js');",
      'tunnel/b.ts': '',
    },
  ],
  [
    'a folder inside another takes its row',
    /cli\/tuntox may not import tunnel/,
    {
      'cli/tuntox/modes/a.ts': "import '../../../tunnel/b.js';",
      'tunnel/b.ts': '',
    },
  ],
  ['a folder without a row', /helpers\/a\.ts: its folder has no row/, { 'helpers/a.ts': '' }],
  ['an import of nothing', /no file of src/, { 'base/a.ts': "import { b } from './b.js';" }],
  ['a barrel', /exports again/, { 'base/a.ts': "export * from './b.js';", 'base/b.ts': '' }],
  ['an index', /no barrels/, { 'base/index.ts': '' }],
  [
    'an import cycle',
    /cycle: base\/a\.ts -> base\/b\.ts -> base\/c\.ts -> base\/a\.ts/,
    {
      'base/a.ts': "import './b.js';",
      'base/b.ts': "import type { C } from './c.js';",
      'base/c.ts': "import { a } from './a.js';",
    },
  ],
  [
    'a second importer of sodium-native',
    /only tox\/crypto\/sodium\.ts does/,
    { 'tox/crypto/box.ts': "import s from 'sodium-native';" },
  ],
  [
    'a socket outside its file',
    /only tox\/network\/node-udp\.ts and tunnel\/datagram\/udp-socket\.ts does/,
    { 'tox/dht/a.ts': "import { createSocket } from 'node:dgram';" },
  ],
  ['a dependency without an owner', /without an owner/, { 'base/a.ts': "import _ from 'lodash';" }],
  ['I/O in protocol code', /does no I\/O/, { 'tox/onion/a.ts': "import { readFile } from 'node:fs/promises';" }],
  ['a real timer', /a\.ts:2 uses setTimeout/, { 'tunnel/a.ts': '\nsetTimeout(() => {}, 1);' }],
  ['the real time', /uses Date/, { 'tunnel/a.ts': `const t = \`\${Date.now()}\`;` }],
  ['randomness that can be foreseen', /uses Math\.random/, { 'tunnel/a.ts': 'const x = Math.random();' }],
  ['randomness of its own', /uses randomBytes/, { 'tunnel/a.ts': "import { randomBytes } from 'node:crypto';" }],
  ['process.exit', /uses process\.exit/, { 'bin/a.ts': 'process.exit(1);' }],
  ['a class with too many public members', /A has 16 public members/, { 'base/a.ts': classWith('A', 16) }],
  ['too many dependencies', /ADeps has 8 members/, { 'base/a.ts': depsWith('ADeps', 8) }],
  ['growth of a class in the table of larger ones', /At most \d+/, { 'base/a.ts': classWith('SendWindow', 99) }],
  [
    'a row for a dependencies object that is not larger any more',
    /delete its row/,
    { 'base/a.ts': depsWith('ConnectionHost', 7) },
  ],
  ['a file that is too long', /has 401 lines/, { 'base/a.ts': 'x;\n'.repeat(401) }],
];

for (const [what, message, files] of CASES) {
  t.test(`finds ${what}`, async (t) => {
    const found = findIn(files);
    t.equal(found.length, 1, found.join('\n'));
    t.match(found[0], message);
  });
}

t.test('a file, a class and a dependencies object of exactly the largest size are allowed', async (t) => {
  t.same(findIn({ 'base/a.ts': 'x;\n'.repeat(400) }), []);
  t.same(findIn({ 'base/a.ts': classWith('A', 15), 'base/b.ts': depsWith('BDeps', 7) }), []);
});

t.test('reads code without its comments, strings and regular expressions', async (t) => {
  const placeholder = '$' + '{d}';
  const source = `const a = /['"]/.test(b); // Date\n/* Date\n */ const c = 'Date' + \`Date ${placeholder} Date\`; const e = a / b / c;`;
  const code = codeOf(source);
  t.notMatch(code, /Date/);
  t.match(code, /const c = {8}\+/);
  t.match(code, placeholder);
  t.match(code, 'a / b / c;');
  t.equal(code.split('\n').length, 3);
});
