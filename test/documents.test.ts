/** What the documents name exists. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readCommandLine } from '../src/cli/ctl/arguments.js';
import { COMMANDS } from '../src/cli/ctl/commands.js';
import { hostNameOf, readCommandLine as readTuntox } from '../src/cli/tuntox/flags.js';
import { settingsOf } from '../src/cli/tuntox/settings.js';
import { readDaemonFlags } from '../src/config/daemon-flags.js';
import { ROOT } from './support/processes.js';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const filesOf = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

t.test('every term of the glossary names a class or type of the source', async (t) => {
  const source = filesOf('src')
    .map((path) => read(join('src', path)))
    .join('\n');
  const identifiers = [...read('docs/glossary.md').matchAll(/^\|[^|]+\|[^|]+\| `(\w+)` \|/gm)].map(
    ([, name = '']) => name,
  );
  t.ok(identifiers.length >= 30);
  for (const name of identifiers) t.match(source, new RegExp(`\\b(?:class|interface|type) ${name}\\b`), name);
});

t.test('every test that the reviews name exists', async (t) => {
  const tests = filesOf('test').map((path) => path.replace(/\.test\.ts$/, ''));
  const rows = read('docs/reviews.md')
    .split('\n')
    .filter((line) => line.startsWith('|'));
  const named = rows.flatMap((row) => [...(row.split('|').at(-2) ?? '').matchAll(/[a-z0-9-]+(?:\/[a-z0-9-]+)+/g)]);
  t.ok(named.length >= 50);
  for (const [name] of named) {
    const isTest = tests.some((path) => path === name || path.endsWith(`/${name}`));
    t.ok(isTest || existsSync(join(ROOT, name)) || existsSync(join(ROOT, `${name}.md`)), name);
  }
});

t.test('every link of the documents at the top and in docs leads to a file', async (t) => {
  const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'docs/performance/notes.md',
    ...pages.map((name) => `docs/${name}`),
  ];
  for (const document of documents) {
    for (const [, link = ''] of read(document).matchAll(/\]\(([^)#\s]+)/g)) {
      if (!/^https?:/.test(link)) t.ok(existsSync(join(ROOT, document, '..', link)), `${document}: ${link}`);
    }
  }
});

const TOX_ID = 'F404ABAA1C99A9D37D61AB54898F56793E1DEF8BD46B1038B9D822E8460FAB670000000080BA';

/** Placeholders, and the values that a reader puts there. */
const LINK = `tuntox://${TOX_ID}/abc23/127.0.0.1:22`;
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  TOX_ID,
  ID: TOX_ID,
  KEY: TOX_ID.slice(0, 64),
  COMMAND: 'status',
  LINK,
  // `tuntox join -` reads it.
  '-': LINK,
  NAME: 'nas',
  PORT: '22',
  'HOST:PORT': '127.0.0.1:22',
  '%h:%p': '127.0.0.1:22',
};

/** Command lines of the three commands in code blocks, in settings of ssh and systemd, and in running text. */
function commandLines(document: string): string[] {
  const block = /^```\n([\s\S]*?)^```/gm;
  const inBlocks = [...document.matchAll(block)].flatMap(([, lines = '']) => lines.split('\n'));
  const inText = [...document.replace(block, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) =>
    code.replace(/\n */g, ' '),
  );
  return [...inBlocks, ...inText]
    .map((line) => line.replace(/^ *(?:\$ |ProxyCommand |ExecStart=\/usr\/bin\/)?/, '').replace(/ +(?:#|>>).*$/, ''))
    .filter((line) => /^tuntox(?:d|ctl)? /.test(line) && !/[[…|]/.test(line));
}

/** The host that the documents name. */
const NAS = { name: 'nas', toxId: TOX_ID, pinnedKey: TOX_ID.slice(0, 64), secret: undefined, addedAt: 0 };
/** Commands that have no settings. */
const WITHOUT_SETTINGS: readonly string[] = ['list', 'forget', 'id', 'ssh', 'ssh-config'];
const AGENT_ANSWERS: readonly (string | undefined)[] = ['status', 'stop'];

function readAsTuntox(words: readonly string[]): void {
  const line = readTuntox(words);
  const name = hostNameOf(words);
  if (name !== undefined && name !== NAS.name) throw new Error(`no host is called ${name}`);
  const isHelp = line.flags.some(({ flag }) => flag === '--help' || flag === '--version');
  const hasNone =
    WITHOUT_SETTINGS.includes(line.form) || (line.form === 'agent' && AGENT_ANSWERS.includes(line.arguments[0]));
  if (!isHelp && !hasNone) settingsOf(line, { HOME: '/' }, NAS);
}

/** Reads a command line as the command itself does. @throws UsageError or CtlError */
function readAsCommand(line: string): void {
  const words = [...line.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);
  const [command, ...args] = words.map((word) => PLACEHOLDERS[word] ?? word);
  if (command === 'tuntox') readAsTuntox(args);
  else if (command === 'tuntoxctl') readCommandLine(args, COMMANDS);
  else {
    const { errors } = readDaemonFlags(args);
    if (errors.length > 0) throw new Error(errors.join('; '));
  }
}

t.test('every command line of the documents is one that the command accepts', async (t) => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'docs/tuntox.md', 'docs/tuntoxd.md', 'docs/threat-model.md'];
  const lines = documents.flatMap((document) => commandLines(read(document)).map((line) => [document, line] as const));
  t.ok(lines.length >= 25, `${lines.length} command lines`);
  for (const [document, line] of lines) t.doesNotThrow(() => readAsCommand(line), `${document}: ${line}`);
});

t.test('every target of make that the documents name exists', async (t) => {
  const targets = [...read('Makefile').matchAll(/^([a-z-]+):.*## /gm)].map(([, name]) => name);
  for (const document of ['README.md', 'CONTRIBUTING.md', 'docs/tuntoxd.md', 'docs/performance/notes.md']) {
    const named = [...read(document).matchAll(/(?:^|`)make ([a-z-]+)/gm)];
    for (const [, name] of named) t.ok(targets.includes(name), `${document}: make ${name}`);
  }
});

t.test('every file that the walks of CONTRIBUTING.md name exists', async (t) => {
  const named = [...read('CONTRIBUTING.md').matchAll(/`((?:src|test|packaging)\/[\w./-]+)`/g)];
  t.ok(named.length >= 20, `${named.length} files`);
  for (const [, path = ''] of named)
    t.ok(existsSync(join(ROOT, path)) || path === 'test/a/b.test.ts' || path === 'src/a/b.ts', path);
});

t.test('every source file that the page about the architecture names exists', async (t) => {
  const page = read('docs/architecture.md');
  const prose = page.split('\n').filter((line) => !/^\|.*\| `\d+` \|/.test(line));
  const named = prose.flatMap((line) => [
    ...line.matchAll(/`((?:base|tox|tunnel|engine|control|daemon|platform|cli|config)\/[\w./-]+)`/g),
  ]);
  t.ok(named.length >= 60, `${named.length} files and folders`);
  for (const [, path = ''] of named) {
    t.ok(
      [path, `${path}.ts`].some((name) => existsSync(join(ROOT, 'src', name))),
      path,
    );
  }
});
