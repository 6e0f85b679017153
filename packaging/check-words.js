// Words that the field does not use (docs/glossary.md): `make lint` finds them in identifiers, strings and prose.
//
//     node packaging/check-words.js [DIRECTORY]
//
// To ban a word, add it to BANNED with what to write instead. A word that is still in use goes into LEAVING with the number of its
// lines, which may only fall; at 0 it moves to BANNED.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = process.argv[2] ?? join(import.meta.dirname, '..');
/** Read by people who are new here: no word of either list. */
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'man', 'etc', 'completions', 'systemd', 'supervisor'];
const PLACES = [...PAGES, 'src', 'docs', 'bench', 'test', 'packaging'];
/** They have the words on purpose. */
const LEFT_OUT = ['packaging/check-words.js', 'packaging/libsodium-licence', 'test/words.test.ts'];

/** Nowhere: a pattern, and what to write. */
const BANNED = [
  ['doorkeeper', 'admission'],
  ['at the door', 'not admitted'],
  ['shown the door', 'disconnected'],
  ['bequest', 'handover'],
  ['greeter', 'handshake'],
  ['guest', 'client'],
  ['visitor', 'client'],
  ['entrance', 'bootstrap'],
  ['outreach', 'friend discovery'],
  ['hearsay', 'an address that others named'],
  ['last[- ]words', 'close handshake'],
  ['kept[- ]part', 'JsonFile'],
  ['has to go', 'is disconnected'],
  ['is dry run|is dropping sessions', 'dryRun, dropSessions'],
  ['lost way', 'onPathLost'],
  ['astray', 'unreachable'],
  ['as said', 'nothing'],
  ['of late\\b', 'recently'],
  ['in the way of', 'like'],
  ['(?:is|be) of use\\b', 'is useful'],
  ['in(?:to)? the house|out of the house', 'admitted, disconnected'],
];

/** Still in use: a pattern, the lines that may have it, and what to write. */
const LEAVING = [
  ['anew', 10, 'again, new'],
  ['whoever', 5, 'a client that, a process that'],
  ['Implementation:', 12, 'nothing'],
  ['usual(?!ly)', 6, 'default'],
  ['good-?bye', 1, 'kill packet, disconnect'],
  ['shut[- ]?out', 4, 'disconnect, not admitted'],
  ['at the most', 3, 'at most'],
  ['for good\\b', 3, 'permanently'],
  ['of no use', 2, 'unusable'],
];

/** The word or phrase that is found, or undefined. */
const find = (pattern, text) => new RegExp(`(?<![a-z])(?:${pattern})`, 'i').exec(text)?.[0];
/** Identifiers as words: lostWay and LOST_WAY are lost way. */
const asWords = (text) => text.replace(/([a-z0-9])([A-Z])|(?<=[A-Za-z])_(?=[A-Za-z])/g, (_, one, other) => `${one ?? ''} ${other ?? ''}`);

function* filesIn(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) for (const name of readdirSync(path).sort()) yield* filesIn(join(path, name));
  else if (stats !== undefined && !/\.(?:svg|json|cast|cap|bin)$/.test(path)) yield path;
}

const files = PLACES.flatMap((place) => [...filesIn(join(root, place))].map((path) => ({ place, path, name: relative(root, path) })));
const lines = files
  .filter(({ name }) => !LEFT_OUT.includes(name))
  .flatMap(({ place, path, name }) => [
    { place, at: name, text: name },
    ...readFileSync(path, 'utf8')
      .split('\n')
      .map((text, index) => ({ place, at: `${name}:${index + 1}`, text: asWords(text) })),
  ]);
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
  else if (rest > most) problems.push(`${rest} lines have "${pattern}", ${most} may: write ${instead}`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
