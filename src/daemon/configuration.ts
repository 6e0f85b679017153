/** The settings of the running daemon: shown, checked, and reloaded. A file with errors changes nothing. */
import { statSync } from 'node:fs';
import { CodedError, messageOf } from '../base/coded-error.js';
import { type Logger, silentLogger } from '../base/logger.js';
import { type DaemonSettings, type LoadedSettings, SettingsError, shownValue } from '../config/daemon-settings.js';
import { readSecretFile } from '../config/secret-file.js';
import { changesBetween } from '../config/setting-changes.js';
import { ControlError } from '../control/control-error.js';
import type { Result } from '../control/protocol.js';
import { loadRules } from '../engine/access/target-rules.js';
import { loadBootstrapNodes } from '../engine/network/bootstrap-nodes.js';
import type { Consent } from './methods/affected-clients.js';
import type { ConfigurationKeeper } from './methods/context.js';

export type Settings = DaemonSettings;
export type Loaded = LoadedSettings;

interface Deps {
  readonly log: Logger;
  /** @throws SettingsError */
  readonly load: () => Loaded;
  /** Applies the settings. @throws CodedError when they cannot be used; then nothing has changed */
  readonly apply: (settings: Settings) => void;
  /** @returns notes for a dry run. @throws ControlError `needs-confirmation` when they would disconnect clients; CodedError when they cannot be used */
  readonly confirm: (settings: Settings, consent: Consent) => string[];
}

export class Configuration implements ConfigurationKeeper {
  readonly #deps: Deps;
  readonly #started: Loaded;
  #loaded: Loaded;
  /** The files of the settings, each with its state when it was read. */
  #files: ReadonlyMap<string, string>;
  #reloadError: string | undefined;

  /** @param loaded the settings with which the daemon was started */
  constructor(deps: Deps, loaded: Loaded) {
    this.#deps = deps;
    this.#started = loaded;
    this.#loaded = loaded;
    this.#files = fileStatesOf(loaded);
  }

  get owner(): Loaded['owner'] {
    return this.#started.owner;
  }

  get file(): string | undefined {
    return this.#loaded.file;
  }

  get settings(): Settings {
    return this.#loaded.settings;
  }

  /** Whether one of the files has changed since it was read. */
  get isStale(): boolean {
    return this.#changedFiles.length > 0;
  }

  /** Why the last reload changed nothing; undefined when it succeeded. */
  get reloadError(): string | undefined {
    return this.#reloadError;
  }

  /** The changed settings that take effect after a restart. */
  get needRestart(): readonly string[] {
    return changesBetween(this.#started.effective, this.#loaded.effective).needRestart;
  }

  get #changedFiles(): readonly string[] {
    return [...this.#files].flatMap(([path, state]) => (stateOf(path) === state ? [] : [path]));
  }

  show(): Result<'config.show'> {
    const settings = [...this.#loaded.effective.values()].map((one) => {
      return { key: one.key, value: shownValue(one), source: one.source };
    });
    return { schema: 'tuntox.config/1', file: this.file ?? null, settings };
  }

  check(): Result<'config.check'> {
    const result = { schema: 'tuntox.config-check/1', file: this.file ?? null } as const;
    try {
      const { file, settings } = this.#deps.load();
      const errors = errorsInNamedFiles(settings);
      return { ...result, file: file ?? null, valid: errors.length === 0, errors };
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      return { ...result, valid: false, errors: [...error.errors] };
    }
  }

  /** @throws ControlError */
  reload(dryRun: boolean, confirmed: boolean): Result<'config.reload'> {
    try {
      const loaded = this.#deps.load();
      const { atOnce: settings, needRestart } = changesBetween(this.#loaded.effective, loaded.effective);
      const changed = [...new Set([...settings, ...this.#settingsOfChangedFiles()])];
      if (dryRun) {
        const errors = errorsInReloadedFiles(loaded.settings);
        if (errors.length > 0) throw new SettingsError(errors);
      }
      const notes = confirmed && !dryRun ? [] : this.#deps.confirm(loaded.settings, { confirmed, dryRun });
      if (!dryRun) {
        this.#deps.apply(loaded.settings);
        this.#loaded = loaded;
        this.#files = fileStatesOf(loaded);
        this.#reloadError = undefined;
        this.#deps.log.info(reloadText(changed, needRestart));
      }
      return { schema: 'tuntox.reload/1', changed, needsRestart: [...needRestart], notes };
    } catch (error) {
      if (error instanceof ControlError) throw error;
      const [first = messageOf(error), ...more] = error instanceof SettingsError ? error.errors : [];
      const text = more.length === 0 ? first : `${first} (and ${more.length} more: tuntoxctl config check)`;
      if (!dryRun) {
        this.#reloadError = text;
        this.#deps.log.error(`the settings were not reloaded: ${text}`);
      }
      const what = dryRun ? 'the settings could not be reloaded' : 'the settings were not reloaded';
      throw new ControlError('failed', `${what}: ${text}`, { cause: error });
    }
  }

  /** Returns the settings that name a file with other contents than before. */
  #settingsOfChangedFiles(): string[] {
    const { access, targets } = this.settings;
    const changed = this.#changedFiles;
    const named = { 'access.secret_file': access.secretFile, 'targets.rules_file': targets.rulesFile };
    return Object.entries(named).flatMap(([key, path]) => (path !== undefined && changed.includes(path) ? [key] : []));
  }
}

function reloadText(changed: readonly string[], needRestart: readonly string[]): string {
  const now = changed.length === 0 ? 'nothing changed' : `changed: ${changed.join(', ')}`;
  const later = needRestart.length === 0 ? '' : `; after a restart: ${needRestart.join(', ')}`;
  return `settings reloaded; ${now}${later}`;
}

function fileStatesOf({ file, settings }: Loaded): ReadonlyMap<string, string> {
  const paths = [file, settings.targets.rulesFile, settings.access.secretFile].filter((path) => path !== undefined);
  return new Map(paths.map((path) => [path, stateOf(path)]));
}

/** Returns a text that changes with the file, without reading it. */
function stateOf(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return 'none';
  }
}

/** Returns the errors in the files that settings name. */
export const errorsInNamedFiles = (settings: Settings): string[] => [
  ...errorsInReloadedFiles(settings),
  ...errorIn('network.nodes_file', settings.network.nodesFile, loadBootstrapNodes),
];

/** Returns the errors in the files that a reload reads too. */
const errorsInReloadedFiles = ({ access, targets }: Settings): string[] => [
  ...errorIn('access.secret_file', access.secretFile, (path) => readSecretFile(path, silentLogger)),
  ...errorIn('targets.rules_file', targets.rulesFile, loadRules),
];

function errorIn(key: string, path: string | undefined, read: (path: string) => unknown): string[] {
  try {
    if (path !== undefined) read(path);
    return [];
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [`${key}: ${error.message}`];
  }
}
