/** `-R`: what the server says of its port. */
import { CodedError } from '../../../base/coded-error.js';
import type { Logger } from '../../../base/logger.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';
import { portLog } from '../../../engine/client/port-log.js';

type Forward = Awaited<ReturnType<Remote['forward']>>;

/** The message tells what to do. The codes are those of reasons. */
export class PortRefusedError extends CodedError<string> {}

/** Refusals that do not pass by themselves. Of those that may, the server is asked again: another program has the port, for example. */
const LASTING: readonly string[] = [
  'not-allowed',
  'no-reverse',
  'no-such-address',
  'port-not-permitted',
  'too-many-listeners',
  'bad-request',
];

/**
 * Logs what the server says, and calls back each time that it listens. The forward itself asks again.
 * @returns rejects if the server refuses, has not listened before, and will go on refusing: who asked should hear of it, which is not logged then
 */
export function followPort(forward: Forward, log: Logger, onListening: () => void): Promise<never> {
  const refused = new Promise<never>((_, reject) => {
    let hasListened = false;
    const note = portLog(forward, log);
    forward.remote?.watch((state) => {
      if (state.kind === 'refused' && !hasListened && LASTING.includes(state.code)) {
        reject(new PortRefusedError(state.code, state.message));
        return;
      }
      note(state);
      if (state.kind !== 'listening') return;
      hasListened = true;
      onListening();
    });
  });
  // It may come before somebody waits for it.
  refused.catch(() => {});
  return refused;
}
