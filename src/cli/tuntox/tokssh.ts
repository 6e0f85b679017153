/** The command `tokssh`, used as upstream's script of this name: ssh to a Tox ID, or to a stored host. */
import { CodedError } from '../../base/coded-error.js';
import { fitted } from '../../base/columns.js';
import { errorReport } from '../../base/program-error.js';
import { writeResult } from '../../base/result-output.js';
import { FormatError } from '../../config/format-error.js';
import { parseToxId } from '../../config/formats.js';
import { ExitStatus } from './exit-status.js';
import { findHost } from './hosts.js';
import { runSshProgram, sshOptions } from './modes/ssh.js';
import { ownProgram, proxyCommand, quoted } from './proxy-command.js';
import { findDestination, hostOfDestination } from './ssh-words.js';
import { UsageError } from './usage-error.js';

const HELP = `tokssh - ssh over the Tox network

Usage:
  tokssh [SSH_OPTION]... [USER@]ADDRESS [-s SECRET]

ADDRESS is a Tox ID, or the name of a host that "tuntox list" shows, such as
one of ~/.tuntox/hosts. Other users can see the secret of -s in the process
list: TUNTOX_SHARED_SECRET=... tokssh ADDRESS hides it. The server must allow
127.0.0.1:22, or the port of -p. For a host with a name, see also: tuntox ssh
`;

/** Hex digits of a Tox ID. An address of at least half of them is one, with a mistake. */
const ID_LENGTH = 76;

/** @returns the exit status, which is that of ssh; never throws */
export async function tokssh(process: NodeJS.Process): Promise<number> {
  try {
    return await runTokssh(process.argv.slice(2), process);
  } catch (error) {
    const text = error instanceof CodedError ? error.message : errorReport(error, process.env);
    tell(process, `${text}${error instanceof UsageError ? ' (see tokssh --help)' : ''}`);
    return error instanceof UsageError ? ExitStatus.Usage : ExitStatus.Failed;
  }
}

const tell = ({ stderr }: NodeJS.Process, text: string): boolean =>
  stderr.write(`${fitted(`tokssh: ${text}`, stderr)}\n`);

async function runTokssh(given: readonly string[], process: NodeJS.Process): Promise<number> {
  const { words, secret } = takeSecret(given);
  const { at = Number.POSITIVE_INFINITY } = findDestination(words) ?? {};
  if (given.length === 0 || words.some((word, index) => index < at && (word === '-h' || word === '--help'))) {
    await writeResult(process.stdout, HELP);
    return ExitStatus.Ok;
  }
  const destination = words[at];
  if (destination === undefined) throw new UsageError('an address is missing, as in: tokssh user@TOX_ID');
  if (secret !== undefined) {
    tell(process, 'other users can see the secret of -s in the process list: use TUNTOX_SHARED_SECRET');
    process.env.TUNTOX_SHARED_SECRET = secret;
  }
  return runSshProgram(process, words, await optionsFor(hostOfDestination(destination), secret, process));
}

/** Upstream's secret is in the last two words. */
function takeSecret(words: readonly string[]): { readonly words: readonly string[]; readonly secret?: string } {
  if (words.length < 3 || words.at(-2) !== '-s') return { words };
  return { words: words.slice(0, -2), secret: words.at(-1) as string };
}

/** @throws UsageError, HostError */
async function optionsFor(
  address: string,
  secret: string | undefined,
  process: NodeJS.Process,
): Promise<readonly string[]> {
  if (!isToxIdLike(address)) {
    const { name, toxId } = await findHost(address, process.env);
    // A secret on the command line takes the place of the stored one.
    if (secret === undefined) return sshOptions(proxyCommand(ownProgram(process), quoted(name), []), name);
    return sshOptions(proxyCommand(ownProgram(process), `-i ${idOf(toxId)}`, []), name);
  }
  const id = idOf(address);
  return sshOptions(proxyCommand(ownProgram(process), `-i ${id}`, []), id.slice(0, 64).toLowerCase());
}

const isToxIdLike = (address: string): boolean => /^[0-9A-Fa-f]+$/.test(address) && address.length > ID_LENGTH / 2;

function idOf(text: string): string {
  try {
    return parseToxId(text).toString();
  } catch (error) {
    if (error instanceof FormatError) throw new UsageError(error.message);
    throw error;
  }
}
