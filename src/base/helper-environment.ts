/**
 * The environment of helper programs (flock, logger, getent, systemd-notify). Ours may contain a secret, or a proxy with its password,
 * which these programs must not inherit.
 */

const NAMES = ['PATH', 'LANG', 'LC_ALL', 'TZ'] as const;

/** @param more names of further variables */
export function helperEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
  more: readonly string[] = [],
): NodeJS.ProcessEnv {
  const names = [...NAMES, ...more].filter((name) => environment[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, environment[name]]));
}

/** Variables with a secret, or a proxy that may have a password. */
const SECRETS = ['TUNTOX_SHARED_SECRET', 'TUNTOX_NETWORK_PROXY', 'ALL_PROXY', 'all_proxy'] as const;

/** Deletes the secrets. Called when they have been read, and no other process of this program needs them. */
export function forgetSecrets(environment: NodeJS.ProcessEnv): void {
  for (const name of SECRETS) delete environment[name];
}
