// Words that the field does not use (docs/glossary.md): `make lint` finds them in identifiers, strings and prose.
//
//     node packaging/check-words.js [DIRECTORY]
//
// To ban a word, add it to BANNED with what to write instead. A word that is still in use goes into LEAVING with the number of its
// lines in src and docs, which may only fall; at 0 it moves to BANNED.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = process.argv[2] ?? join(import.meta.dirname, '..');
/** Read by people who are new here: no word of either list. */
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'man', 'etc', 'completions', 'systemd'];
const PLACES = [...PAGES, 'src', 'docs'];

/** Nowhere: a pattern, and what to write. */
const BANNED = [
  ['doorkeeper', 'admission'],
  ['at the door', 'not admitted'],
  ['shown the door', 'disconnected'],
  ['bequest', 'handover'],
  ['greeter', 'handshake'],
  ['visitor', 'client'],
  ['entrance', 'bootstrap'],
  ['outreach', 'friend discovery'],
  ['is dry run|is dropping sessions', 'dryRun, dropSessions'],
  ['lost way', 'onPathLost'],
  ['astray', 'unreachable'],
  ['as said', 'nothing'],
  ['(?:is|be) of use', 'is useful'],
  ['in(?:to)? the house|out of the house', 'admitted, disconnected'],
  ['of late', 'recently'],
  ['last[- ]words', 'close handshake'],
  ['kept[- ]part', 'JsonStore'],
  ['guest', 'client'],
  ['has to go', 'is disconnected'],
  ['in the way of', 'like'],
  ['hearsay', 'an address that others named'],
];

/** Still in use: a pattern, the lines of src and docs that may have it, and what to write. */
const LEAVING = [
  ['anew', 6, 'again, new'],
  ['whoever', 7, 'a client that, a process that'],
  ['at the most', 3, 'at most'],
  ['of no use', 1, 'unusable'],
  ['shut[- ]?out', 1, 'disconnect, not admitted'],
  ['good-?bye', 1, 'kill packet, disconnect'],
  ['Implementation: ', 12, 'nothing'],
  ['usual(?!ly)', 4, 'default'],
  ['for good', 1, 'permanently'],
];

/** The word or phrase that is found, or undefined. */
const find = (pattern, text) => new RegExp(`(?<![a-z])(?:${pattern})`, 'i').exec(text)?.[0];
/** Identifiers as words: lostWay is lost way. */
const asWords = (text) => text.replace(/([a-z0-9])([A-Z])/g, '$1 $2');

function* filesIn(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) for (const name of readdirSync(path).sort()) yield* filesIn(join(path, name));
  else if (stats !== undefined && !/\.(?:svg|json|cast)$/.test(path)) yield path;
}

const lines = PLACES.flatMap((place) =>
  [...filesIn(join(root, place))].flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .map((text, index) => ({ place, at: `${relative(root, path)}:${index + 1}`, text: asWords(text) })),
  ),
);
const problems = [];
for (const [pattern, instead] of BANNED) {
  for (const { at, text } of lines) {
    const word = find(pattern, text);
    if (word !== undefined) problems.push(`${at}: "${word}": write ${instead}`);
  }
}
for (const [pattern, most, instead] of LEAVING) {
  const found = lines.filter(({ text }) => find(pattern, text) !== undefined);
  const onPages = found.filter(({ place }) => PAGES.includes(place));
  problems.push(...onPages.map(({ at, text }) => `${at}: "${find(pattern, text)}": write ${instead}`));
  const rest = found.length - onPages.length;
  if (process.argv[3] === '--count') console.log(`${pattern}\t${rest}`);
  else if (rest > most) problems.push(`src, docs: ${rest} lines have "${pattern}", ${most} may: write ${instead}`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
