/**
 * The environment of the programs that we start to help us (flock, logger, getent, systemd-notify): some of them live as long as
 * we do, and what ours has may be a secret, or a proxy with its password. None of that is theirs to know.
 */

const NAMES = ['PATH', 'LANG', 'LC_ALL', 'TZ'] as const;

/** @param more names of variables that this one program needs, too */
export function helperEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
  more: readonly string[] = [],
): NodeJS.ProcessEnv {
  const names = [...NAMES, ...more].filter((name) => environment[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, environment[name]]));
}

/** A secret, or a proxy that may have a password. */
const SECRETS = ['TUNTOX_SHARED_SECRET', 'TUNTOX_NETWORK_PROXY', 'ALL_PROXY', 'all_proxy'] as const;

/** Once they have been read, and no other process of this program is to read them. */
export function forgetSecrets(environment: NodeJS.ProcessEnv): void {
  for (const name of SECRETS) delete environment[name];
}
