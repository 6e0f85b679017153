/** `tuntox id`: the Tox ID of this user's client, without a connection. */
import { resolve } from 'node:path';
import { silentLogger } from '../../../base/logger.js';
import { systemRandom } from '../../../base/random.js';
import { writeResult } from '../../../base/result-output.js';
import { userDirectories } from '../../../base/user-directories.js';
import { keyWords } from '../../../config/words.js';
import { readOwnId } from '../../../engine/state/own-id.js';
import { ExitStatus } from '../exit-status.js';
import type { CommandLine } from '../flags.js';
import { FLAG_NAMES } from '../setting-names.js';

/** Scripts read standard output, which gets nothing but the ID. */
export async function runId({ flags }: CommandLine, process: NodeJS.Process): Promise<number> {
  const given = flags.findLast(({ flag }) => flag === '--state-dir')?.value;
  const path = given === undefined ? userDirectories(process.env).state : resolve(given);
  const id = await readOwnId({ random: systemRandom, log: silentLogger }, path, FLAG_NAMES);
  await writeResult(process.stdout, `${id}\n`);
  if (flags.some(({ flag }) => flag === '--quiet')) return ExitStatus.Ok;
  process.stderr.write(`Its key in words, to compare over the phone: ${await keyWords(id.publicKey)}\n`);
  return ExitStatus.Ok;
}
