/** The command `tuntoxd`: turns errors into a line and an exit status. */
import { CodedError } from '../base/coded-error.js';
import { fitted } from '../base/columns.js';
import { errorReport } from '../base/program-error.js';
import { ExitStatus } from './exit-status.js';

/** @returns the exit status; never throws */
export async function main(process: NodeJS.Process): Promise<number> {
  try {
    // Loaded here, so that cryptography that does not load on this machine is an ordinary error.
    const { runCommand } = await import('./command.js');
    return await runCommand(process);
  } catch (error) {
    // Every expected error has a code of ours. Any other is a bug, and is reported with its place.
    const text = error instanceof CodedError ? error.message : errorReport(error, process.env);
    process.stderr.write(`${fitted(`tuntoxd: ${text}`, process.stderr)}\n`);
    return ExitStatus.Failed;
  }
}
