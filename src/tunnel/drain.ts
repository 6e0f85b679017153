/** Gives tunnels time to finish their transfers before the service ends. */
import type { Clock } from '../base/clock.js';
import type { Listeners } from '../base/listeners.js';
import type { CarriedTunnel } from './stream/tunnel.js';

type Traffic = Pick<CarriedTunnel, 'bytesSent' | 'bytesReceived' | 'backlog'>;

/** ms in all: half of the time after which systemd and supervisord kill (TimeoutStopSec, stopwaitsecs). */
const MAX_WAIT = 10_000;
/** ms without a byte, after which tunnels count as idle: a shell at its prompt, or a transfer whose end was confirmed. */
const IDLE = 2_000;
/** ms for peers to leave that were told our end. */
const END_TIMEOUT = 1_000;
/** ms between checks. */
const INTERVAL = 250;

/** Resolves when the tunnels have carried nothing for 2 s, or after 10 s; at once when there are no tunnels. */
export function waitUntilIdle(clock: Clock, tunnels: () => readonly Traffic[]): Promise<void> {
  if (tunnels().length === 0) return Promise.resolve();
  const startedAt = clock.now();
  let carried = bytesOf(tunnels());
  let idleSince = startedAt;
  return new Promise((resolve) => {
    const timer = clock.every(INTERVAL, () => {
      const now = clock.now();
      const carriedBefore = carried;
      carried = bytesOf(tunnels());
      if (carried !== carriedBefore) idleSince = now;
      if (now - idleSince < IDLE && now - startedAt < MAX_WAIT) return;
      timer.cancel();
      resolve();
    });
  });
}

/** Changes also when a tunnel ends, so that its last frames have time to arrive. */
const bytesOf = (tunnels: readonly Traffic[]): number =>
  tunnels.reduce((sum, { bytesSent, bytesReceived, backlog }) => sum + 1 + bytesSent + bytesReceived - backlog, 0);

/** Resolves when these links have closed, or after a second; at once when there are none. */
export async function waitUntilClosed<Link>(
  clock: Clock,
  links: readonly Link[],
  closed: Listeners<[link: Link]>,
): Promise<void> {
  const open = new Set(links);
  if (open.size === 0) return;
  await new Promise<void>((resolve) => {
    const timeout = clock.after(END_TIMEOUT, resolve);
    closed.add((link) => {
      open.delete(link);
      if (open.size > 0) return;
      timeout.cancel();
      resolve();
    });
  });
}
