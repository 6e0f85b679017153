// Prints what the packages say of licences (Debian's copyright format 1.0): ours, and those of all modules that come along.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [production = ''] = process.argv.slice(2);

/** Each module of a node_modules, those inside of others too. */
function modulesIn(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap(({ name }) => {
      const path = join(folder, name);
      if (name.startsWith('@')) return modulesIn(path);
      const inner = join(path, 'node_modules');
      return [path, ...(readdirSync(path).includes('node_modules') ? modulesIn(inner) : [])];
    });
}

const nameOf = (person) => (typeof person === 'object' ? person?.name : person?.replace(/\s*<.*/, ''));

function stanza(path) {
  const about = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const licence = (typeof about.license === 'object' ? about.license.type : about.license) ?? about.licenses?.[0]?.type;
  return `Files: lib/tuntox/${path.slice(path.indexOf('node_modules'))}/*
Copyright: ${nameOf(about.author) || `the authors of ${about.name}`}
License: ${String(licence ?? 'see-its-folder').replaceAll(/[() ]+/g, ' ').trim()}
Comment: ${about.name} ${about.version}; its text, where it brings one, stands in its folder.
`;
}

const all = modulesIn(join(production, 'node_modules')).map(stanza);
process.stdout.write(`Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: tuntox

Files: *
Copyright: the authors of tuntox
License: GPL-3.0-or-later
 On Debian systems, the text of the GNU General Public License, version 3,
 is in /usr/share/common-licenses/GPL-3.

${all.join('\n')}`);
