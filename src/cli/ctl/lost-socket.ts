/** Whether a daemon listens at a control socket whose file somebody has deleted, so that nobody can connect. */
import { readSmallFile } from '../../base/small-file.js';

export interface LostSocketSources {
  /** Linux' list of Unix sockets, unix(7) and proc(5): who listens stays there under the path that it was bound to. */
  readonly sockets: string;
  /** Where a daemon of this machine has its process number; root and its own user may read it. */
  readonly lock: string;
  /** Of a process; `PID` stands for its number. */
  readonly command: string;
}

const SYSTEM: LostSocketSources = {
  sockets: '/proc/net/unix',
  lock: '/etc/tuntox/tox_save.lock',
  command: '/proc/PID/cmdline',
};

/** Implementation: bytes; a socket takes a line of that list. */
const MOST_BYTES = 16 * 1024 * 1024;
/** __SO_ACCEPTCON: it waits for connections. */
const LISTENS = 0x1_0000;

export type LostDaemon =
  /** It waits at the socket, which has no file any more. */
  | { readonly kind: 'listens' }
  /** It runs; its socket was deleted and could not be made again, or is elsewhere. */
  | { readonly kind: 'runs'; readonly pid: number };

/**
 * @param isUsual whether it is the place of the daemon of this machine
 * @returns undefined where none is seen
 */
export function lostDaemon(path: string, isUsual: boolean, sources = SYSTEM): LostDaemon | undefined {
  if (isListening(path, contentOf(sources.sockets))) return { kind: 'listens' };
  if (!isUsual) return undefined;
  const pid = Number(/^[1-9][0-9]{0,9}(?=\n$)/.exec(contentOf(sources.lock))?.[0] ?? 0);
  // Numbers are used again, so it has to be a daemon of ours.
  const isOurs = pid !== 0 && contentOf(sources.command.replace('PID', String(pid))).includes('tuntoxd');
  return isOurs ? { kind: 'runs', pid } : undefined;
}

/** A line has a number, counts, protocol, flags, type, state, inode, and the path. */
function isListening(path: string, table: string): boolean {
  return table.split('\n').some((line) => {
    const [, , , flags = '', , , , ...words] = line.split(' ').filter((word) => word !== '');
    return (Number.parseInt(flags, 16) & LISTENS) !== 0 && words.join(' ') === path;
  });
}

function contentOf(file: string): string {
  try {
    return readSmallFile(file, MOST_BYTES).toString('latin1');
  } catch {
    return '';
  }
}
