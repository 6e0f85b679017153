/** The sockets that the service manager has opened for this process (sd_listen_fds(3)). */

export interface ListenDescriptor {
  readonly fd: number;
  /** Of FileDescriptorName=; systemd gives that of the .socket unit by default. */
  readonly name: string;
}

/** SD_LISTEN_FDS_START */
const FIRST = 3;
/** More is no number of systemd. */
const MOST = 1_024;

/**
 * Takes the descriptors over. Their variables are removed, so that no child takes them for its own; Node lets no child inherit the
 * descriptors.
 */
export function takeListenDescriptors({ env, pid }: Pick<NodeJS.Process, 'env' | 'pid'>): ListenDescriptor[] {
  const { LISTEN_PID, LISTEN_FDS = '', LISTEN_FDNAMES = '' } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID']) delete env[name];
  if (LISTEN_PID !== String(pid) || !/^[0-9]{1,4}$/.test(LISTEN_FDS)) return [];
  const names = LISTEN_FDNAMES.split(':');
  return Array.from({ length: Math.min(Number(LISTEN_FDS), MOST) }, (_, index) => ({
    fd: FIRST + index,
    name: names[index] || 'unknown',
  }));
}
