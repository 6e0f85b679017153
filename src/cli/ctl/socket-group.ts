/** Which group may use the control socket. */
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const GROUPS = '/etc/group';
const ROOT = 0;
/** Bits of the mode: the group may write to a socket, and pass through a directory. */
const GROUP_WRITE = 0o020;
const GROUP_PASS = 0o010;

/** The name of the group of the socket, or where that is out of sight, of its directory; undefined when only root may. */
export function groupOf(path: string, groups: string = GROUPS): string | undefined {
  for (const [place, bit] of [
    [path, GROUP_WRITE],
    [dirname(path), GROUP_PASS],
  ] as const) {
    const found = groupWith(place, bit);
    if (found === 'out of sight') continue;
    return found === undefined ? undefined : nameOf(found, groups);
  }
  return undefined;
}

function groupWith(place: string, bit: number): number | undefined | 'out of sight' {
  try {
    const { gid, mode } = statSync(place);
    return gid !== ROOT && (mode & bit) !== 0 ? gid : undefined;
  } catch {
    return 'out of sight';
  }
}

function nameOf(gid: number, groups: string): string {
  try {
    const line = readFileSync(groups, 'utf8')
      .split('\n')
      .find((one) => one.split(':')[2] === String(gid));
    return line?.split(':')[0] ?? String(gid);
  } catch {
    return String(gid);
  }
}
