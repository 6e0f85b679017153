/** The settings in use: they can be shown, checked and reloaded. A file with errors changes nothing. */
import { messageOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { type DaemonSettings, type LoadedSettings, SettingsError, shownValue } from '../config/daemon-settings.js';
import type { ProxyAddress } from '../config/proxy.js';
import { changesBetween } from '../config/setting-changes.js';
import { ControlError } from '../control/control-error.js';
import type { Result } from '../control/protocol.js';
import { FileMarks } from './file-marks.js';
import type { ConfigurationKeeper } from './methods/context.js';
import type { Consent } from './methods/leaving.js';
import { namedFileErrors, reloadableFileErrors } from './named-files.js';

export type Settings = DaemonSettings<ProxyAddress>;
export type Loaded = LoadedSettings<ProxyAddress>;

interface Deps {
  readonly log: Logger;
  /** @throws SettingsError */
  readonly load: () => Loaded;
  /** Checks all that it needs first, then uses the settings. @throws CodedError when something of them cannot be used; then nothing has changed */
  readonly apply: (settings: Settings) => void;
  /** @returns notes for a dry run @throws ControlError `needs-confirmation` when they would shut out somebody; CodedError when they cannot be used */
  readonly confirm: (settings: Settings, consent: Consent) => string[];
}

export class Configuration implements ConfigurationKeeper {
  readonly #deps: Deps;
  readonly #started: Loaded;
  readonly #files = new FileMarks();
  #loaded: Loaded;
  #reloadFault: string | undefined;

  /** @param loaded what the daemon was started with */
  constructor(deps: Deps, loaded: Loaded) {
    this.#deps = deps;
    this.#started = loaded;
    this.#loaded = loaded;
    this.#files.take(filesOf(loaded));
  }

  get file(): string | undefined {
    return this.#loaded.file;
  }

  get settings(): Settings {
    return this.#loaded.settings;
  }

  /** A file of it has changed since it was read. */
  get isStale(): boolean {
    return this.#files.changed.length > 0;
  }

  /** Why the last reload kept what was there; undefined when it did not. */
  get reloadFault(): string | undefined {
    return this.#reloadFault;
  }

  /** Settings that count from the next start on. */
  get needRestart(): readonly string[] {
    return changesBetween(this.#started.effective, this.#loaded.effective).needRestart;
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
      const errors = namedFileErrors(settings);
      return { ...result, file: file ?? null, isGood: errors.length === 0, errors };
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      return { ...result, isGood: false, errors: [...error.errors] };
    }
  }

  /** Settings that name a file with something else in it now. */
  #filesChanged(): string[] {
    const { changed } = this.#files;
    const { access, targets } = this.settings;
    const named = { 'access.secret_file': access.secretFile, 'targets.rules_file': targets.rulesFile };
    return Object.entries(named).flatMap(([key, path]) => (path !== undefined && changed.includes(path) ? [key] : []));
  }

  /** @throws ControlError */
  reload(dryRun: boolean, confirmed: boolean): Result<'config.reload'> {
    try {
      const loaded = this.#deps.load();
      const { atOnce: settings, needRestart } = changesBetween(this.#loaded.effective, loaded.effective);
      const atOnce = [...new Set([...settings, ...this.#filesChanged()])];
      if (dryRun) {
        const errors = reloadableFileErrors(loaded.settings);
        if (errors.length > 0) throw new SettingsError(errors);
      }
      const notes = confirmed && !dryRun ? [] : this.#deps.confirm(loaded.settings, { confirmed, dryRun });
      if (!dryRun) {
        this.#deps.apply(loaded.settings);
        this.#loaded = loaded;
        this.#files.take(filesOf(loaded));
        this.#reloadFault = undefined;
        this.#deps.log.info(reloadText(atOnce, needRestart));
      }
      return { schema: 'tuntox.reload/1', changed: atOnce, needsRestart: [...needRestart], notes };
    } catch (error) {
      if (error instanceof ControlError) throw error;
      const [first = messageOf(error), ...more] = error instanceof SettingsError ? error.errors : [];
      const text = more.length === 0 ? first : `${first} (and ${more.length} more: tuntoxctl config check)`;
      if (!dryRun) {
        this.#reloadFault = text;
        this.#deps.log.error(`the settings stay as they were: ${text}`);
      }
      const stay = dryRun ? 'the settings would stay as they are' : 'the settings stay as they were';
      throw new ControlError('failed', `${stay}: ${text}`, { cause: error });
    }
  }
}

function reloadText(atOnce: readonly string[], needRestart: readonly string[]): string {
  const changed = atOnce.length === 0 ? 'nothing changed' : `changed: ${atOnce.join(', ')}`;
  const later = needRestart.length === 0 ? '' : `; after a restart: ${needRestart.join(', ')}`;
  return `settings reloaded; ${changed}${later}`;
}

const filesOf = ({ file, settings }: Loaded): string[] =>
  [file, settings.targets.rulesFile, settings.access.secretFile].filter((path) => path !== undefined);
