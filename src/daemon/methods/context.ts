/** What the methods of the control socket work with: the running engine, its door, and what the daemon keeps besides. */
import type { Clock } from '../../base/clock.js';
import type { Logger, LogLevel } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { Result, StreamEvent } from '../../control/protocol.js';
import type { AccessControl } from '../../engine/access/access-control.js';
import type { AccessPolicy } from '../../engine/access/access-policy.js';
import type { Engine } from '../../engine/engine.js';
import type { ClientAdmission } from '../../engine/server/client-admission.js';
import type { TargetPolicy } from '../../engine/server/target-policy.js';

export type StatusWarning = Result<'status'>['warnings'][number];
export type DaemonState = Result<'status'>['daemon']['state'];

/** Bytes through all tunnels since the start, and tunnels that were opened. */
export interface TunnelTotals {
  readonly opened: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

export interface ConfigurationKeeper {
  /** Where the settings come from; undefined when there is no file. */
  readonly file: string | undefined;
  show(): Result<'config.show'>;
  /** Reads everything anew, without using it. */
  check(): Result<'config.check'>;
  /** @throws ControlError when it is not good; then everything stays as it is */
  reload(dryRun: boolean, confirmed: boolean): Result<'config.reload'>;
}

export interface LogKeeper {
  level: LogLevel;
  /** The newest lines, oldest first. */
  last(count: number): Omit<StreamEvent<'log.tail'>, 'schema'>[];
  /** @returns a function that ends it */
  follow(listener: (line: Omit<StreamEvent<'log.tail'>, 'schema'>) => void): () => void;
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
  readonly configuration: ConfigurationKeeper;
  readonly logging: LogKeeper;
  /** Where a secret that is given comes from. */
  secretSource(): 'configuration' | 'credential';
  /** Without user and password; undefined for none. */
  readonly proxy: string | undefined;
  readonly totals: TunnelTotals;
  /** Requests for targets that were refused within 24 hours, by reason. */
  readonly targetRefusals: Readonly<Record<string, number>>;
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
  /** What the owner should know or do, the most serious in front. */
  warnings(): { readonly health: Result<'status'>['health']; readonly warnings: StatusWarning[] };
  /** OpenMetrics text. */
  metrics(): Promise<string>;
}
