// Words that the field does not use (docs/glossary.md): `make lint` finds them in identifiers, strings and prose.
//
//     node packaging/check-words.js [DIRECTORY]
//
// To ban a word, add it to BANNED with what to write instead.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = process.argv[2] ?? join(import.meta.dirname, '..');
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
const FOLDERS = ['src', 'docs', 'man', 'etc', 'completions', 'systemd', 'supervisor', 'bench', 'test', 'packaging'];
/** They have the words on purpose. */
const LEFT_OUT = ['packaging/check-words.js', 'packaging/libsodium-licence', 'test/words.test.ts'];

/** A pattern, and what to write. */
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
  ['anew', 'again, new'],
  ['whoever', 'a client that, a process that'],
  ['usual(?!ly)', 'default'],
  ['good-?bye', 'kill packet, disconnect'],
  ['shut[- ]?out', 'disconnect, not admitted'],
  ['at the most', 'at most'],
  ['for good\\b', 'permanently'],
  ['of no use', 'unusable'],
  ['Implementation:', 'nothing'],
  ['in(?:to)? the house|out of the house', 'admitted, disconnected'],
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

const lines = [...PAGES, ...FOLDERS]
  .flatMap((place) => [...filesIn(join(root, place))])
  .map((path) => ({ path, name: relative(root, path) }))
  .filter(({ name }) => !LEFT_OUT.includes(name))
  .flatMap(({ path, name }) => [
    { at: name, text: name },
    ...readFileSync(path, 'utf8')
      .split('\n')
      .map((text, index) => ({ at: `${name}:${index + 1}`, text: asWords(text) })),
  ]);
const problems = BANNED.flatMap(([pattern, instead]) =>
  lines
    .map(({ at, text }) => ({ at, word: find(pattern, text) }))
    .filter(({ word }) => word !== undefined)
    .map(({ at, word }) => `${at}: "${word}": write ${instead}`),
);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
