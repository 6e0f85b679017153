/** The command `tuntoxd`: what it answers at once, what it says when it was called wrongly, and its exit status. */
import { CodedError, messageOf } from '../base/coded-error.js';
import { readDaemonFlags } from '../config/daemon-flags.js';
import { loadSettings, SettingsError } from '../config/daemon-settings.js';
import { parseProxyOrNone } from '../config/proxy.js';
import { schemaOf } from '../config/schema.js';
import { settingsIn } from '../config/setting-list.js';
import type { Loaded } from './configuration.js';
import { helpText } from './help.js';
import { ownVersion } from './own-version.js';

/** `Usage` is for wrong settings too: to start it again would not help. */
const ExitStatus = { Ok: 0, Failed: 1, Usage: 2 } as const;

/** @returns the exit status; never throws */
export async function main(process: NodeJS.Process): Promise<number> {
  try {
    const list = settingsIn(schemaOf(parseProxyOrNone));
    const flags = readDaemonFlags(process.argv.slice(2), list);
    if (flags.isHelp) {
      process.stdout.write(helpText(list));
      return ExitStatus.Ok;
    }
    if (flags.isVersion) {
      process.stdout.write(`tuntoxd ${ownVersion()}\n`);
      return ExitStatus.Ok;
    }
    if (flags.faults.length > 0) return complain(process, flags.faults, 'tuntoxd -h shows all flags');
    const load = (): Loaded =>
      loadSettings({
        configFile: flags.configFile,
        flags: flags.settings,
        environment: process.env,
        parseProxy: parseProxyOrNone,
      });
    const loaded = load();
    if (flags.isCheck) {
      process.stdout.write(`${loaded.file ?? 'no configuration file, so the defaults'}: good\n`);
      return ExitStatus.Ok;
    }
    // Only now, because the Tox stack takes longer to load than a mistake to be found.
    const { run } = await import('./run.js');
    return await run(process, { flags, load, loaded });
  } catch (error) {
    if (error instanceof SettingsError) return complain(process, error.faults);
    // Everything that can be expected has a code of ours; the rest is a fault of the program, and its place is wanted.
    const isExpected = error instanceof CodedError;
    process.stderr.write(`tuntoxd: ${isExpected || !(error instanceof Error) ? messageOf(error) : error.stack}\n`);
    return ExitStatus.Failed;
  }
}

function complain(process: NodeJS.Process, faults: readonly string[], hint?: string): number {
  for (const fault of faults) process.stderr.write(`tuntoxd: ${fault}\n`);
  if (hint !== undefined) process.stderr.write(`tuntoxd: ${hint}\n`);
  return ExitStatus.Usage;
}
