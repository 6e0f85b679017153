/** The command `tuntoxd`: the one place where its errors end, and become a line and an exit status. */
import { CodedError, messageOf } from '../base/coded-error.js';
import { ExitStatus } from './exit-status.js';

/** @returns the exit status; never throws */
export async function main(process: NodeJS.Process): Promise<number> {
  try {
    // Only here, so that cryptography which does not load on this machine is an error like others.
    const { obey } = await import('./order.js');
    return await obey(process);
  } catch (error) {
    // Everything that can be expected has a code of ours; the rest is a fault of the program, and its place is wanted.
    const isExpected = error instanceof CodedError;
    process.stderr.write(`tuntoxd: ${isExpected || !(error instanceof Error) ? messageOf(error) : error.stack}\n`);
    return ExitStatus.Failed;
  }
}
