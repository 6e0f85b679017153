/** Settings as tests load them: from a text, variables and flags. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { readDaemonFlags } from '../../../src/config/daemon-flags.js';
import { type LoadedSettings, loadSettings, SettingsError } from '../../../src/config/daemon-settings.js';
import { type ProxyAddress, parseProxyOrNone } from '../../../src/config/proxy.js';
import { schemaOf } from '../../../src/config/schema.js';
import { type SettingList, settingsIn } from '../../../src/config/setting-list.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

export const LIST: SettingList = settingsIn(schemaOf(parseProxyOrNone));

export interface Written {
  readonly file?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

export function load(t: Test, { file, environment = {}, flags = [] }: Written): LoadedSettings<ProxyAddress> {
  const path = join(temporaryDirectory(t), 'tuntox.yaml');
  if (file !== undefined) writeFileSync(path, file);
  const { settings, configFile, errors } = readDaemonFlags(flags, LIST);
  if (errors.length > 0) throw new Error(errors.join('\n'));
  return loadSettings({ configFile, flags: settings, environment, parseProxy: parseProxyOrNone, defaultFile: path });
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
