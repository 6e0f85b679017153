/** The log of all layers. IDs are logged by their first 8 hex digits, secrets never. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace';

export interface Logger {
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
  trace(message: string): void;
  /** Returns a logger that prefixes its messages with `name`. */
  child(name: string): Logger;
}

const nothing = (): void => {};

export const silentLogger: Logger = {
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
  trace: nothing,
  child: () => silentLogger,
};

/** Returns a logger for what somebody else reports as well: these levels go to debug. */
export function demoted(log: Logger, ...levels: readonly ('info' | 'warn')[]): Logger {
  const debug = (message: string): void => log.debug(message);
  return {
    error: (message) => log.error(message),
    warn: levels.includes('warn') ? debug : (message) => log.warn(message),
    info: levels.includes('info') ? debug : (message) => log.info(message),
    debug,
    trace: (message) => log.trace(message),
    child: (name) => demoted(log.child(name), ...levels),
  };
}
