/** Notices that nobody has used any forward for a while (`--idle-timeout`). */
import type { Clock } from '../../base/clock.js';

/** ms between two looks. */
const INTERVAL = 1_000;

interface Used {
  /** Connections without a tunnel yet. */
  readonly pending: number;
  readonly traffic: { readonly open: number; readonly total: number };
}

/** @param timeout ms @returns what resolves when the forwards have had no connection for so long; never rejects */
export function whenIdle(clock: Clock, forwards: readonly Used[], timeout: number): Promise<void> {
  return new Promise((resolve) => {
    let lastUse = clock.now();
    let lastTotal = totalOf(forwards);
    const timer = clock.every(Math.min(INTERVAL, timeout), () => {
      const total = totalOf(forwards);
      const isUsed = total !== lastTotal || forwards.some(({ pending, traffic }) => pending + traffic.open > 0);
      lastTotal = total;
      if (isUsed) lastUse = clock.now();
      if (clock.now() - lastUse < timeout) return;
      timer.cancel();
      resolve();
    });
  });
}

const totalOf = (forwards: readonly Used[]): number => forwards.reduce((sum, { traffic }) => sum + traffic.total, 0);
