/** The command `tuntox`: help, version and usage errors, and its exit status. */
import { CodedError } from '../../base/coded-error.js';
import { ownVersion } from '../../base/own-files.js';
import { faultText } from '../../base/program-fault.js';
import { OutputError, writeResult } from '../../base/result-output.js';
import { hasFirstProcess } from '../../platform/process/parent-process.js';
import { ExitStatus } from './exit-status.js';
import { readFlags, UsageError } from './flags.js';
import { BRIEF_HELP, HELP } from './help.js';
import type { OptionName } from './options.js';
import { runAsUser } from './service.js';

/** The version of the tunnel protocol; upstream prints it too. */
const PROTOCOL_VERSION = 2;

/** @returns the exit status; never throws */
export async function main(process: NodeJS.Process): Promise<number> {
  try {
    const flags = readFlags(process.argv.slice(2));
    const given = (name: OptionName) => flags.find(({ flag }) => flag === name);
    const help = given('--help');
    if (help !== undefined) await writeResult(process.stdout, help.written === '-h' ? BRIEF_HELP : HELP);
    else if (given('--version') !== undefined) {
      await writeResult(process.stdout, `tuntox ${ownVersion()}, protocol version ${PROTOCOL_VERSION}\n`);
    } else {
      // Loaded late: the Tox stack takes longer to load than help takes to print.
      const { settingsOf } = await import('./settings.js');
      const settings = settingsOf(flags, process.env);
      const isSecond = hasFirstProcess(process);
      const status = 'service' in settings ? await runAsUser(process, settings) : undefined;
      if (status !== undefined) return status;
      const { run } = await import('./run.js');
      return await run(process, settings, { isSecond, mayColour: given('--no-color') === undefined });
    }
    return ExitStatus.Ok;
  } catch (error) {
    if (error instanceof OutputError && error.code === 'closed-pipe') return ExitStatus.ClosedPipe;
    process.stderr.write(`tuntox: ${textOf(error, process.env)}\n`);
    return error instanceof UsageError ? ExitStatus.Usage : ExitStatus.Failed;
  }
}

function textOf(error: unknown, environment: NodeJS.ProcessEnv): string {
  if (error instanceof UsageError) return `${error.message} (see tuntox --help)`;
  // Every expected error has a code of ours. Any other is a bug, and is reported with its place.
  return error instanceof CodedError ? error.message : faultText(error, environment);
}
