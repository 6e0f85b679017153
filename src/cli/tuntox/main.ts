/** The classic command: what it answers at once, what it says when it was called wrongly, and its exit status. */
import { CodedError } from '../../base/coded-error.js';
import { ownVersion } from '../../base/own-files.js';
import { faultText } from '../../base/program-fault.js';
import { OutputError, writeResult } from '../../base/result-output.js';
import { hasFirstProcess } from '../../platform/first-process.js';
import { runAsUser } from './as-user.js';
import { ExitStatus } from './exit-status.js';
import { type GivenFlag, readFlags } from './flags.js';
import { HELP } from './help.js';
import { UsageError } from './usage-error.js';

/** Of the tunnel protocol; upstream prints it too. */
const PROTOCOL_VERSION = 2;

/** @returns the exit status; never throws */
export async function main(process: NodeJS.Process): Promise<number> {
  try {
    const flags = readFlags(process.argv.slice(2));
    const isGiven = (...names: GivenFlag['flag'][]): boolean => flags.some(({ flag }) => names.includes(flag));
    if (isGiven('-h', '--help')) await writeResult(process.stdout, HELP);
    else if (isGiven('-V', '--version')) {
      await writeResult(process.stdout, `tuntox ${ownVersion()}, protocol version ${PROTOCOL_VERSION}\n`);
    } else {
      // Only now, because the Tox stack takes longer to load than help takes to print, or a mistake to be found.
      const { settingsOf } = await import('./settings.js');
      const settings = settingsOf(flags, process.env);
      const isSecond = hasFirstProcess(process);
      const status = 'service' in settings ? await runAsUser(process, settings) : undefined;
      if (status !== undefined) return status;
      const { run } = await import('./run.js');
      return await run(process, settings, { isSecond });
    }
    return ExitStatus.Ok;
  } catch (error) {
    if (error instanceof OutputError && error.code === 'nobody-reads') return ExitStatus.NobodyReads;
    process.stderr.write(`tuntox: ${textOf(error, process.env)}\n`);
    return error instanceof UsageError ? ExitStatus.Usage : ExitStatus.Failed;
  }
}

function textOf(error: unknown, environment: NodeJS.ProcessEnv): string {
  if (error instanceof UsageError) return `${error.message} (tuntox -h shows all options)`;
  // Everything that can be expected has a code of ours; the rest is a fault of the program, and its place is wanted.
  return error instanceof CodedError ? error.message : faultText(error, environment);
}
