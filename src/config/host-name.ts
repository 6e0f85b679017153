/** The names under which a client keeps its servers. */
import { ALIAS } from '../base/alias.js';
import { FormatError } from './format-error.js';

/** Words that are, or may become, commands of `tuntox`. */
export const RESERVED_NAMES: readonly string[] = [
  ...['share', 'join', 'id', 'ssh', 'ssh-config', 'list', 'forget', 'ping', 'speed', 'agent', 'help', 'version'],
  ...['invite', 'expose', 'services', 'forward', 'forwards', 'clients', 'connections', 'status', 'top'],
  ...['scp', 'sftp', 'rsync', 'git', 'vpn', 'socks', 'tokssh'],
];

/** What a name may be: base/alias. */
export const NAME_ADVICE = 'use a letter, then letters, digits, ".", "_" and "-", at most 32 in all';

/** With it, a host has a name that no server of DNS has: `ssh nas.tox`. */
export const HOST_SUFFIX = '.tox';

/** Returns the name of a host as it is stored: ssh writes it in lower case, and may add the suffix. */
export function plainHostName(text: string): string {
  const name = text.toLowerCase();
  return name.endsWith(HOST_SUFFIX) ? name.slice(0, -HOST_SUFFIX.length) : name;
}

/** Parses the name for a new host. @throws FormatError */
export function parseHostName(text: string): string {
  const name = plainHostName(text);
  if (!ALIAS.test(name)) throw new FormatError(`"${text}" is not a name: ${NAME_ADVICE}`);
  if (RESERVED_NAMES.includes(name)) {
    throw new FormatError(`"${name}" is a command of tuntox, so no host can have this name: choose another one`);
  }
  return name;
}
