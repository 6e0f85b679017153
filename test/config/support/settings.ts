/** Settings as tests load them: from a text, variables and flags. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { readDaemonFlags } from '../../../src/config/daemon-flags.js';
import { SYSTEM_PATHS } from '../../../src/config/daemon-paths.js';
import { type LoadedSettings, loadSettings, SettingsError } from '../../../src/config/daemon-settings.js';
import { SETTING_LIST } from '../../../src/config/setting-list.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

export const LIST = SETTING_LIST;

export interface Written {
  readonly file?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

export function load(t: Test, { file, environment = {}, flags = [] }: Written): LoadedSettings {
  const path = join(temporaryDirectory(t), 'tuntox.yaml');
  if (file !== undefined) writeFileSync(path, file);
  const { settings, configFile, errors } = readDaemonFlags(flags);
  if (errors.length > 0) throw new Error(errors.join('\n'));
  return loadSettings({ configFile, flags: settings, environment, paths: { ...SYSTEM_PATHS, config: path } });
}

/** What is wrong; empty when nothing is. Directories are left out. */
export function errorsOf(t: Test, written: Written): string[] {
  try {
    load(t, written);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.errors.map((error) => error.replace(/\/\S*\//g, ''));
  }
}
