/** What the documents name exists. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
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
    ...pages.map((name) => `docs/${name}`),
  ];
  for (const document of documents) {
    for (const [, link = ''] of read(document).matchAll(/\]\(([^)#\s]+)/g)) {
      if (!/^https?:/.test(link)) t.ok(existsSync(join(ROOT, document, '..', link)), `${document}: ${link}`);
    }
  }
});
