// What the licences of the modules in a bundle want to be told with every copy: whose they are, and the licence's text.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)\b/i;
const RULE = `${'-'.repeat(80)}\n`;

/** In the machine code of sodium-native, where no package.json names it. */
const LIBSODIUM = 'packaging/libsodium-licence';

/** Their folders, sorted. */
function packagesOf(files) {
  const folders = files.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

function aboutPackage(folder) {
  const { name, version, license, licenses, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const licence = (typeof license === 'object' ? license.type : license) ?? licenses?.[0]?.type;
  if (licence === undefined) throw new Error(`${folder}/package.json names no licence: it cannot be given to others`);
  const owner = typeof author === 'object' ? author.name : author?.replace(/\s*<.*/, '');
  return { name, version, licence, owner: owner || `the authors of ${name}` };
}

/** @param files that went into the bundle, relative to the root of this tree */
export function notice(files) {
  const sections = packagesOf(files).map((folder) => {
    const { name, version, licence, owner } = aboutPackage(folder);
    const texts = readdirSync(folder)
      .filter((file) => LICENCE_FILE.test(file))
      .map((file) => `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`);
    return `${RULE}${name} ${version}\nCopyright: ${owner}\nLicence: ${licence}\n${texts.join('')}`;
  });
  const libsodium = `${RULE}libsodium, in the machine code of sodium-native\nCopyright: Frank Denis\nLicence: ISC\n\n${readFileSync(LIBSODIUM, 'utf8')}`;
  return `The commands contain these packages, each under its own licence:\n\n${[...sections, libsodium].join('\n')}`;
}
