/** The command line of ssh, as far as we must read it: where its destination stands. Pure. */

/** Options of ssh(1) with a value. */
const WITH_VALUE = 'BbcDEeFIiJLlmOoPpQRSWw';

/** Returns the places of the destination, and of the first word that is no option; undefined without a destination. */
export function findDestination(
  words: readonly string[],
): { readonly at: number; readonly afterOptions: number } | undefined {
  let at = 0;
  while (at < words.length) {
    const word = words[at] as string;
    if (word === '--') return at + 1 < words.length ? { at: at + 1, afterOptions: at } : undefined;
    if (!/^-./.test(word)) return { at, afterOptions: at };
    at += isValueNext(word) ? 2 : 1;
  }
  return undefined;
}

/** Whether the word is a group of options, such as `-vp`, whose last one has its value in the next word. */
function isValueNext(word: string): boolean {
  const letter = [...word].findIndex((one, index) => index > 0 && WITH_VALUE.includes(one));
  return letter === word.length - 1;
}

/** Returns the host of `[user@]host` or `ssh://[user@]host[:port]`. */
export function hostOfDestination(destination: string): string {
  const [, uri] = /^ssh:\/\/([^/]*)\/?$/.exec(destination) ?? [];
  const place = uri === undefined ? destination : uri.replace(/:[0-9]+$/, '');
  return place.slice(place.lastIndexOf('@') + 1);
}

/** Returns the words with further options, which come after the user's own: of two values, ssh uses the first. */
export function withSshOptions(words: readonly string[], options: readonly string[]): readonly string[] {
  const { afterOptions } = findDestination(words) ?? { afterOptions: words.length };
  return [...words.slice(0, afterOptions), ...options, ...words.slice(afterOptions)];
}

/**
 * Separates our long options from the words of ssh, which has none: they stand before the destination.
 * @param hasValue whether a long option of ours needs a value
 */
export function splitOwnOptions(
  words: readonly string[],
  hasValue: (name: string) => boolean,
): { readonly own: readonly string[]; readonly theirs: readonly string[] } {
  const own: string[] = [];
  const theirs: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string;
    if (/^--./.test(word)) {
      own.push(word);
      if (!word.includes('=') && hasValue(word) && at + 1 < words.length) own.push(words[++at] as string);
      continue;
    }
    if (word === '--' || !/^-./.test(word)) return { own, theirs: [...theirs, ...words.slice(at)] };
    theirs.push(word);
    if (isValueNext(word) && at + 1 < words.length) theirs.push(words[++at] as string);
  }
  return { own, theirs };
}
