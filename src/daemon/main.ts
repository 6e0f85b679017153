/** The command `tuntoxd`: the one place where its errors end, and become a line and an exit status. */
import { CodedError } from '../base/coded-error.js';
import { faultText } from '../base/program-fault.js';
import { ExitStatus } from './exit-status.js';

/** @returns the exit status; never throws */
export async function main(process: NodeJS.Process): Promise<number> {
  try {
    // Only here, so that cryptography which does not load on this machine is an error like others.
    const { obey } = await import('./order.js');
    return await obey(process);
  } catch (error) {
    // Everything that can be expected has a code of ours; the rest is a fault of the program, and its place is wanted.
    const text = error instanceof CodedError ? error.message : faultText(error, process.env);
    process.stderr.write(`tuntoxd: ${text}\n`);
    return ExitStatus.Failed;
  }
}
