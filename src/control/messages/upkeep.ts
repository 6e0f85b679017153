/** `config`, `log`, `ping`, `metrics`: keeping the daemon. */
import * as v from 'valibot';
import { ClientName, Count, dryRun, Milliseconds, notes, Selector, UnixTime } from './common.js';

export const LogLevel = v.picklist(['error', 'warn', 'info', 'debug', 'trace']);

/** Where a setting got its value. */
export const Setting = v.strictObject({
  key: v.string(),
  /** As JSON; a secret is shown as `"[set]"`. */
  value: v.unknown(),
  source: v.picklist(['default', 'file', 'environment', 'flag']),
});
export const Configuration = v.strictObject({
  schema: v.literal('tuntox.config/1'),
  file: v.nullable(v.string()),
  settings: v.array(Setting),
});
export const CheckedConfiguration = v.strictObject({
  schema: v.literal('tuntox.config-check/1'),
  file: v.nullable(v.string()),
  isGood: v.boolean(),
  /** With file, line, and the nearest right key. */
  errors: v.array(v.string()),
});
/** What shuts somebody out has to be confirmed. */
export const ReloadConfiguration = v.strictObject({ confirmed: v.optional(v.boolean(), false), dryRun });
export const Reloaded = v.strictObject({
  schema: v.literal('tuntox.reload/1'),
  changed: v.array(v.string()),
  /** Settings that count from the next start only. */
  needsRestart: v.array(v.string()),
  /** For people: of a dry run, whom the new settings would shut out. */
  notes,
});

export const LogLine = v.strictObject({
  schema: v.literal('tuntox.log-line/1'),
  at: UnixTime,
  level: LogLevel,
  message: v.string(),
});
export const TailLog = v.strictObject({
  /** Lines of the past. */
  lines: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000)), 20),
  follow: v.optional(v.boolean(), false),
});
export const SetLogLevel = v.strictObject({ level: LogLevel, dryRun });
export const LogLevelSet = v.strictObject({ schema: v.literal('tuntox.log-level/1'), before: LogLevel, now: LogLevel });

export const PingClient = v.strictObject({ client: Selector });
export const Pong = v.strictObject({ schema: v.literal('tuntox.ping/1'), client: ClientName, roundTrip: Milliseconds });

/** OpenMetrics. */
export const Metrics = v.strictObject({ schema: v.literal('tuntox.metrics/1'), text: v.string() });

/** What `tuntoxctl version` prints; the daemon tells its part in `hello`. */
export const VersionReport = v.strictObject({
  schema: v.literal('tuntox.version/1'),
  version: v.string(),
  /** Of the control socket. */
  protocol: Count,
  /** Null: it does not run, or we may not ask it. */
  daemon: v.nullable(v.strictObject({ version: v.string(), pid: Count })),
});

/** What `tuntoxctl --json` prints on standard error when it did not work. */
export const Failure = v.strictObject({
  schema: v.literal('tuntox.error/1'),
  /** Of the control protocol, or `usage`, `not-running`, `permission`. */
  code: v.string(),
  message: v.string(),
  hint: v.nullable(v.string()),
  exitStatus: Count,
});
