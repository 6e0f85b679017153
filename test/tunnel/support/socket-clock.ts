/** A manual clock whose `soon` is real, for tests with real sockets and simulated timeouts. */
import type { Timer } from '../../../src/base/clock.js';
import { ManualClock } from '../../support/manual-clock.js';

export class SocketClock extends ManualClock {
  override soon(callback: () => void): Timer {
    const handle = setImmediate(callback);
    return { cancel: () => clearImmediate(handle) };
  }
}
