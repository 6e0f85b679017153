/** The command with which ssh reaches a stored host: this very program. */
import { ownFile } from '../../base/own-files.js';
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
 * @param server the name of the host, the token of ssh for it, or `-i` and a Tox ID
 */
export const proxyCommand = (program: readonly string[], server: string, flags: readonly GivenFlag[]): string =>
  [
    ...program.map(quoted),
    server,
    ...flags.flatMap(({ written, value }) => (value === undefined ? [written] : [written, quoted(value)])),
    '--ssh-pipe %p',
  ].join(' ');

/** Returns the words that start this program again. */
export const ownProgram = ({ execPath, execArgv }: NodeJS.Process): readonly string[] => [
  execPath,
  ...execArgv,
  ownFile('dist/bin/tuntox.cjs'),
];
