/** The time that tunnels have to finish what they carry before their service ends. */
import type { Clock } from '../base/clock.js';
import type { TunnelInfo } from './tunnel-info.js';

/** ms in all: half of what systemd and supervisord are told to wait before they kill (TimeoutStopSec, stopwaitsecs). */
const LIMIT = 10_000;
/** ms without a byte, after which nothing is waited for: a shell at its prompt, or a transfer whose end has been confirmed. */
const QUIET = 2_000;
/** ms between looks. */
const INTERVAL = 250;

/** Resolves when the tunnels have carried nothing for 2 s, or after 10 s; at once when there are none. */
export function whenQuiet(clock: Clock, tunnels: () => readonly TunnelInfo[]): Promise<void> {
  if (tunnels().length === 0) return Promise.resolve();
  const startedAt = clock.now();
  let carried = bytesOf(tunnels());
  let quietSince = startedAt;
  return new Promise((resolve) => {
    const looking = clock.every(INTERVAL, () => {
      const now = clock.now();
      const carriedBefore = carried;
      carried = bytesOf(tunnels());
      if (carried !== carriedBefore) quietSince = now;
      if (now - quietSince < QUIET && now - startedAt < LIMIT) return;
      looking.cancel();
      resolve();
    });
  });
}

/** Changes also when a tunnel ends, so that its last words have time to arrive. */
const bytesOf = (tunnels: readonly TunnelInfo[]): number =>
  tunnels.reduce((sum, { bytesSent, bytesReceived, backlog }) => sum + 1 + bytesSent + bytesReceived - backlog, 0);
