/** `make test` installs what the tests need on a fresh Debian, so no test may need a package that it does not name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from './processes.js';

/** Packages that each Debian has, and those without which there is no `make test`. */
const EVERYWHERE = ['bsdutils', 'dpkg', 'make', 'util-linux'];

t.test('make test installs each package that a test names in its requirements', (t) => {
  const makefile = readFileSync(join(ROOT, 'Makefile'), 'utf8');
  const lists = [...makefile.matchAll(/^DEBIAN_PACKAGES \+?:?= (.*)$/gm)];
  const installed = new Set([...EVERYWHERE, ...lists.flatMap(([, names = '']) => names.split(' '))]);
  const sources = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.ts$/.test(name),
  );
  const named = sources.flatMap((name) => {
    const text = readFileSync(join(ROOT, 'test', name), 'utf8');
    return [...text.matchAll(/\b(?:tool|systemFile)\(\s*[^()]*?,\s*'([^']+)',?\s*\)/g)].map(
      ([, debianPackage = '']) => debianPackage,
    );
  });
  t.ok(named.length > 20, 'the requirements are found');
  t.same(
    [...new Set(named)].filter((debianPackage) => !installed.has(debianPackage)),
    [],
  );
  t.end();
});
