/** The two built-in targets of a server, by which `tuntox speed` measures; no service can have such a name. */
interface BuiltIn {
  readonly host: string;
  readonly port: 0;
}

/** Sends bytes until it is closed. */
export const SPEED_SOURCE: BuiltIn = { host: '?source', port: 0 };
/** Discards what it receives, and reports the number of bytes (u64) several times a second, and at the end. */
export const SPEED_SINK: BuiltIn = { host: '?sink', port: 0 };

/** Bytes of a report. */
export const REPORT_SIZE = 8;

export const isSpeedTest = ({ host, port }: { readonly host: string; readonly port: number }): boolean =>
  port === 0 && (host === SPEED_SOURCE.host || host === SPEED_SINK.host);
