/** `tuntox forget`: removes a stored host and its pinned key. */
import { writeResult } from '../../../base/result-output.js';
import { plainHostName } from '../../../config/host-name.js';
import { HostError } from '../../../engine/client/host-entry.js';
import { ExitStatus } from '../exit-status.js';
import type { CommandLine } from '../flags.js';
import { openHosts } from '../hosts.js';
import { UsageError } from '../usage-error.js';

export async function runForget({ arguments: [name = ''] }: CommandLine, process: NodeJS.Process): Promise<number> {
  try {
    await openHosts(process.env).remove(name);
  } catch (error) {
    if (error instanceof HostError && error.code === 'unknown') throw new UsageError(error.message);
    throw error;
  }
  await writeResult(process.stdout, `${plainHostName(name)} is forgotten, with its pinned key.\n`);
  return ExitStatus.Ok;
}
