/** The command with which ssh reaches a stored host: this very program. */
import type { GivenFlag } from './flags.js';

/** Characters that mean nothing to a shell, to ssh or to its configuration. */
const PLAIN = /^[\w@+=:,./-]+$/;

/** Quotes a word for the shell that ssh starts; ssh itself replaces % and a letter. */
export function quoted(word: string): string {
  const text = word.replaceAll('%', '%%');
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * @param program the words that start this program
 * @param host the name of the host, or the token of ssh for it
 */
export const proxyCommand = (program: readonly string[], host: string, flags: readonly GivenFlag[]): string =>
  [
    ...program.map(quoted),
    host,
    ...flags.flatMap(({ written, value }) => (value === undefined ? [written] : [written, quoted(value)])),
    '-W 127.0.0.1:%p',
  ].join(' ');

/** Returns the words that start this program again. */
export const ownProgram = ({ execPath, execArgv, argv }: NodeJS.Process): readonly string[] => [
  execPath,
  ...execArgv,
  argv[1] as string,
];
