/** The parts of the running daemon that the methods of the control socket use. */
import type { Clock } from '../../base/clock.js';
import type { Logger, LogLevel } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { Result } from '../../control/protocol.js';
import type { AccessControl } from '../../engine/access/access-control.js';
import type { AccessPolicy } from '../../engine/access/access-policy.js';
import type { Services } from '../../engine/access/services.js';
import type { StandingForwards } from '../../engine/client/standing-forwards.js';
import type { Engine } from '../../engine/engine.js';
import type { ClientAdmission } from '../../engine/server/client-admission.js';
import type { TargetPolicy } from '../../engine/server/target-policy.js';
import type { TunnelTotals } from './tunnel-totals.js';

export type StatusWarning = Result<'status'>['warnings'][number];
export type DaemonState = Result<'status'>['daemon']['state'];

export interface ConfigurationKeeper {
  /** Undefined without a configuration file. */
  readonly file: string | undefined;
  show(): Result<'config.show'>;
  /** Reads the settings again without applying them. */
  check(): Result<'config.check'>;
  /** @throws ControlError when the settings have errors, or need confirmation; then nothing has changed */
  reload(dryRun: boolean, confirmed: boolean): Result<'config.reload'>;
}

export interface LogLine {
  /** Unix time, s. */
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
}

export interface LogKeeper {
  level: LogLevel;
  /** The newest lines, oldest first. */
  last(count: number): LogLine[];
  /** @returns a function that removes the listener */
  follow(listener: (line: LogLine) => void): () => void;
}

export interface MethodContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly engine: Engine;
  readonly admission: ClientAdmission;
  readonly access: AccessControl;
  readonly policy: AccessPolicy;
  readonly targets: TargetPolicy;
  readonly services: Services;
  readonly forwards: StandingForwards;
  readonly configuration: ConfigurationKeeper;
  readonly logging: LogKeeper;
  /** Where a secret that the daemon does not store itself comes from. */
  secretSource(): 'configuration' | 'credential';
  /** Without its user and password; undefined without a proxy. */
  readonly proxy: string | undefined;
  readonly totals: TunnelTotals;
  readonly process: {
    readonly version: string;
    readonly pid: number;
    /** Unix time, s. */
    readonly startedAt: number;
    /** ms */
    readonly uptime: number;
    readonly state: DaemonState;
    /** Bytes. */
    readonly memory: number;
  };
  /** The serious ones come first. */
  warnings(): { readonly health: Result<'status'>['health']; readonly warnings: StatusWarning[] };
  /** OpenMetrics text. */
  metrics(): Promise<string>;
}
