/** The command line of `tuntoxd`: help, version, `--check`, or running the daemon. */
import { systemClock } from '../base/clock.js';
import { fitted } from '../base/columns.js';
import { ownVersion } from '../base/own-files.js';
import { OutputError, writeResult } from '../base/result-output.js';
import { readDaemonFlags } from '../config/daemon-flags.js';
import { daemonPaths } from '../config/daemon-paths.js';
import { loadSettings, SettingsError } from '../config/daemon-settings.js';
import { hasForwardingParent } from '../platform/process/parent-process.js';
import { runAsUser } from './as-user.js';
import type { Loaded } from './configuration.js';
import { ExitStatus } from './exit-status.js';
import { BRIEF_HELP, HELP } from './help.js';
import { DaemonSignals } from './signals.js';

/** @returns the exit status @throws CodedErrors */
export async function runCommand(process: NodeJS.Process): Promise<number> {
  try {
    const flags = readDaemonFlags(process.argv.slice(2));
    if (flags.isHelp) {
      await writeResult(process.stdout, flags.isBriefHelp ? BRIEF_HELP : HELP);
      return ExitStatus.Ok;
    }
    if (flags.isVersion) {
      await writeResult(process.stdout, `tuntoxd ${ownVersion()}\n`);
      return ExitStatus.Ok;
    }
    if (flags.errors.length > 0) return complain(process, flags.errors, 'see tuntoxd --help');
    if (flags.isColourless) process.env.NO_COLOR = '1';
    // A reload uses the values of the start: in the background, the working directory is another one.
    const [environment, directory] = [{ ...process.env }, process.cwd()];
    const paths = daemonPaths(environment);
    const load = (): Loaded =>
      loadSettings({
        configFile: flags.configFile,
        flags: flags.settings,
        environment,
        paths,
        directory,
      });
    const signals = new DaemonSignals(process, hasForwardingParent(process) ? systemClock : undefined);
    const status = await runAsUser(process, { flags, load, release: () => signals.release() });
    if (status !== undefined) return status;
    if (flags.isCheck) {
      signals.release();
      const { file, settings } = load();
      const { errorsInNamedFiles } = await import('./configuration.js');
      const errors = errorsInNamedFiles(settings);
      if (errors.length > 0) return complain(process, errors);
      await writeResult(
        process.stdout,
        `${file === undefined ? 'no settings file: all settings have their defaults' : `${file} is valid`}\n`,
      );
      return ExitStatus.Ok;
    }
    const loaded = load();
    // Loaded late: the Tox stack takes longer to load than errors take to be found.
    const { run } = await import('./run.js');
    return await run(process, { flags, load, loaded, signals });
  } catch (error) {
    if (error instanceof OutputError && error.code === 'closed-pipe') return ExitStatus.ClosedPipe;
    if (error instanceof SettingsError) return complain(process, error.errors);
    throw error;
  }
}

function complain(process: NodeJS.Process, errors: readonly string[], hint?: string): number {
  for (const text of [...errors, ...(hint === undefined ? [] : [hint])]) {
    process.stderr.write(`${fitted(`tuntoxd: ${text}`, process.stderr)}\n`);
  }
  return ExitStatus.Usage;
}
