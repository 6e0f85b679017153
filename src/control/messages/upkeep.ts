/** `config`, `log`, `ping`, `metrics`: operating the daemon. */
import * as v from 'valibot';
import { ClientName, Count, dryRun, Milliseconds, notes, Selector, Time } from './common.js';

export const LogLevel = v.picklist(['error', 'warn', 'info', 'debug', 'trace']);

/** A setting, and where its value comes from. */
export const Setting = v.strictObject({
  key: v.string(),
  /** A secret is shown as `"[set]"`. */
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
  valid: v.boolean(),
  /** Each with the file, the line, and the most similar key. */
  errors: v.array(v.string()),
});
/** Settings that would disconnect clients must be confirmed. */
export const ReloadConfiguration = v.strictObject({ confirmed: v.optional(v.boolean(), false), dryRun });
export const Reloaded = v.strictObject({
  schema: v.literal('tuntox.reload/1'),
  changed: v.array(v.string()),
  /** Settings that take effect after a restart. */
  needsRestart: v.array(v.string()),
  /** For people: a dry run names the clients that the new settings would disconnect. */
  notes,
});

export const LogLine = v.strictObject({
  schema: v.literal('tuntox.log-line/1'),
  at: Time,
  level: LogLevel,
  message: v.string(),
});
export const TailLog = v.strictObject({
  /** How many past lines to send. */
  lines: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000)), 20),
  follow: v.optional(v.boolean(), false),
});
export const SetLogLevel = v.strictObject({ level: LogLevel, dryRun });
export const LogLevelSet = v.strictObject({ schema: v.literal('tuntox.log-level/1'), before: LogLevel, now: LogLevel });

export const PingClient = v.strictObject({ client: Selector });
export const Pong = v.strictObject({
  schema: v.literal('tuntox.ping/1'),
  client: ClientName,
  roundTripMs: Milliseconds,
});

/** OpenMetrics. */
export const Metrics = v.strictObject({ schema: v.literal('tuntox.metrics/1'), text: v.string() });

/** The output of `tuntoxctl version`; the part of the daemon comes from `hello`. */
export const VersionReport = v.strictObject({
  schema: v.literal('tuntox.version/1'),
  version: v.string(),
  /** The version of the control protocol. */
  protocol: Count,
  /** Null when the daemon is not running, or does not answer this user. */
  daemon: v.nullable(v.strictObject({ version: v.string(), pid: Count })),
});

/** What `tuntoxctl --json` prints on standard error when it fails. */
export const Failure = v.strictObject({
  schema: v.literal('tuntox.error/1'),
  /** A code of the control protocol, or `usage`, `not-running`, `no-socket`, `permission`. */
  code: v.string(),
  message: v.string(),
  hint: v.nullable(v.string()),
  exitStatus: Count,
});
export type CommandError = v.InferOutput<typeof Failure>;
