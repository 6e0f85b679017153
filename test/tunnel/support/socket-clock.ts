/** Time stands still, but `soon` is real: for tests whose sockets are real and whose timeouts must not be waited for. */
import type { Timer } from '../../../src/base/clock.js';
import { ManualClock } from '../../support/manual-clock.js';

export class SocketClock extends ManualClock {
  override soon(callback: () => void): Timer {
    const handle = setImmediate(callback);
    return { cancel: () => clearImmediate(handle) };
  }
}
