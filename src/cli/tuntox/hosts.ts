/** The stored hosts of the user who runs the command. */
import { join } from 'node:path';
import { ALIAS } from '../../base/alias.js';
import { systemClock } from '../../base/clock.js';
import { didYouMean, similarNames } from '../../base/nearest.js';
import { userDirectories } from '../../base/user-directories.js';
import { HOST_SUFFIX } from '../../config/host-name.js';
import { type Host, HostError } from '../../engine/client/host-entry.js';
import { HostFile } from '../../engine/client/host-file.js';
import { lockFile } from '../../engine/state/file-lock.js';
import { nodeFileSystem } from '../../engine/state/file-system.js';
import { COMMANDS } from './commands.js';
import { UsageError } from './usage-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

export function openHosts(environment: Environment): HostFile {
  const { config, home } = userDirectories(environment);
  const places = { directory: config, upstreamFile: join(home, '.tuntox', 'hosts') };
  return new HostFile({ files: nodeFileSystem, lock: lockFile, clock: systemClock }, places);
}

const byConfig = (program: string): string =>
  `${program} reaches hosts as NAME${HOST_SUFFIX}, with the lines that "tuntox ssh-config" prints for ~/.ssh/config`;
const ofControl = (word: string): string => `${word} is a command of tuntoxctl: run "tuntoxctl ${word}"`;
const words = (list: string, explain: (word: string) => string): [string, string][] =>
  list.split(' ').map((word) => [word, explain(word)]);

/** Words that are no command of tuntox, and what was meant. */
const OTHER_WORDS: Readonly<Record<string, string>> = Object.fromEntries([
  ...words('scp sftp rsync git', byConfig),
  ...words('invite expose services forward clients connections status top', ofControl),
  ['tokssh', 'tokssh is a program of its own: run "tokssh ADDRESS"'],
  ['version', '"tuntox --version" prints the version'],
]);

/** @throws UsageError for a name that no host has; HostError, JsonFileError, FileError */
export async function findHost(name: string, environment: Environment): Promise<Host> {
  try {
    return await openHosts(environment).find(name);
  } catch (error) {
    if (error instanceof HostError && error.code === 'unknown') throw new UsageError(error.message);
    throw error;
  }
}

/** Finds the host that stands in the place of a command. @throws as findHost; the message names commands, too */
export async function findHostOrCommand(word: string, environment: Environment): Promise<Host> {
  const hosts = openHosts(environment);
  try {
    return await hosts.find(word);
  } catch (error) {
    if (!(error instanceof HostError && error.code === 'unknown')) throw error;
    const known = OTHER_WORDS[word.toLowerCase()];
    if (known !== undefined) throw new UsageError(known);
    const names = [...COMMANDS, ...(await hosts.list())].map(({ name }) => name);
    const meant =
      didYouMean(similarNames(word, names)) ?? `"tuntox join LINK ${ALIAS.test(word) ? word : 'NAME'}" stores a host`;
    throw new UsageError(`there is no command or host "${word}": ${meant}`);
  }
}
