/** The log of the daemon, in the format that its reader needs. The last lines are kept for `tuntoxctl log tail`. */
import type { Clock } from '../base/clock.js';
import type { Logger, LogLevel } from '../base/logger.js';
import { mayColour } from '../base/terminal.js';
import { isReadByJournal } from '../platform/logging/journal-stream.js';
import { LogRing } from '../platform/logging/log-ring.js';
import { type ServiceLog, serviceLog } from '../platform/logging/winston-logger.js';
import type { Settings } from './configuration.js';
import type { LogKeeper, LogLine } from './methods/context.js';

type LineFormat = ServiceLog['format'];

interface Deps {
  readonly clock: Clock;
  readonly stream: NodeJS.WritableStream & { readonly fd?: number; readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Overrides the settings, for syslog. */
  readonly format?: LineFormat;
}

export class DaemonLog implements LogKeeper {
  readonly #deps: Deps;
  readonly #ring = new LogRing();
  readonly #log: ServiceLog;

  constructor(deps: Deps, settings: Settings['log']) {
    this.#deps = deps;
    const { clock, stream } = deps;
    const ring = this.#ring;
    this.#log = serviceLog({ clock, stream, ring }, { level: settings.level, format: this.#formatOf(settings) });
  }

  get logger(): Logger {
    return this.#log.logger;
  }

  get level(): LogLevel {
    return this.#log.level;
  }

  set level(level: LogLevel) {
    this.#log.level = level;
  }

  use(settings: Settings['log']): void {
    this.#log.level = settings.level;
    this.#log.format = this.#formatOf(settings);
  }

  last(count: number): LogLine[] {
    return this.#ring.last(count);
  }

  follow(listener: (line: LogLine) => void): () => void {
    return this.#ring.follow(listener);
  }

  #formatOf({ format }: Settings['log']): LineFormat {
    const { stream, environment, format: fixed } = this.#deps;
    if (fixed !== undefined) return fixed;
    const isJournal = stream.fd !== undefined && isReadByJournal(environment.JOURNAL_STREAM, stream.fd);
    const chosen = format === 'auto' ? (isJournal ? 'journal' : 'plain') : format;
    if (chosen !== 'plain') return { kind: chosen };
    return { kind: 'plain', hasTime: true, hasColour: stream.isTTY === true && mayColour(environment) };
  }
}
