/** `tuntox ssh`: ssh to a stored host, through this program. */
import { HOST_SUFFIX } from '../../../config/host-name.js';
import { ProgramError, runInForeground } from '../../../platform/process/foreground-program.js';
import type { CommandLine } from '../flags.js';
import { findHost } from '../hosts.js';
import { ownProgram, proxyCommand, quoted } from '../proxy-command.js';
import { findDestination, hostOfDestination, withSshOptions } from '../ssh-words.js';
import { UsageError } from '../usage-error.js';

/** @throws UsageError, HostError, ProgramError */
export async function runSsh({ arguments: words, flags }: CommandLine, process: NodeJS.Process): Promise<number> {
  const destination = words[findDestination(words)?.at ?? -1];
  if (destination === undefined) throw new UsageError('ssh needs the name of a host, as in: tuntox ssh nas');
  const { name } = await findHost(hostOfDestination(destination), process.env);
  return runSshProgram(process, words, sshOptions(proxyCommand(ownProgram(process), quoted(name), flags), name));
}

/** @param name what the user's known_hosts calls the host */
export const sshOptions = (command: string, name: string): readonly string[] => [
  `ProxyCommand=${command}`,
  // Not HostKeyAlias, which keeps one key for all ports: so the key is kept as that of a plain "ssh nas.tox" is.
  `HostName=${name}${HOST_SUFFIX}`,
  // Tox has proven the identity of the host; the user could not compare more than that.
  'StrictHostKeyChecking=accept-new',
];

/** @throws ProgramError that says how to get ssh */
export async function runSshProgram(
  process: NodeJS.Process,
  words: readonly string[],
  options: readonly string[],
): Promise<number> {
  try {
    const given = options.flatMap((option) => ['-o', option]);
    return await runInForeground(process, 'ssh', withSshOptions(words, given));
  } catch (error) {
    if (!(error instanceof ProgramError) || error.code !== 'missing') throw error;
    throw new ProgramError('missing', `${error.message}: install the package openssh-client`, { cause: error });
  }
}
