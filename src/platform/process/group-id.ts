/** Looks up the ID of a group. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { helperEnvironment } from '../../base/helper-environment.js';

const GROUPS = '/etc/group';

/**
 * @param options.isThorough whether to ask the C library too, which takes a tenth of a second
 * @returns undefined if there is no such group
 */
export function groupIdOf(
  name: string,
  { isThorough, file = GROUPS }: { readonly isThorough: boolean; readonly file?: string },
): number | undefined {
  const fromFile = idIn(contentOf(file), name);
  if (fromFile !== undefined || !isThorough) return fromFile;
  // The C library also knows the groups of LDAP and of systemd.
  const { status, stdout } = spawnSync('getent', ['--', 'group', name], {
    encoding: 'utf8',
    env: helperEnvironment(),
  });
  return status === 0 ? idIn(stdout, name) : undefined;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function idIn(text: string, name: string): number | undefined {
  for (const line of text.split('\n')) {
    const [found, , id = ''] = line.split(':');
    if (found === name && /^[0-9]+$/.test(id)) return Number(id);
  }
  return undefined;
}
