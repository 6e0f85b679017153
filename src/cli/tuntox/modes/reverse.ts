/** `-R`: what the server says of its port. */
import { CodedError } from '../../../base/coded-error.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';

type RemotePort = NonNullable<Awaited<ReturnType<Remote['forward']>>['remote']>;

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
 * Calls back each time that the server listens. The forward itself logs, and asks again.
 * @returns rejects if the server refuses, has not listened before, and will go on refusing: who asked should hear of it
 */
export function followPort(port: RemotePort, onListening: () => void): Promise<never> {
  const refused = new Promise<never>((_, reject) => {
    let hasListened = false;
    port.watch((state) => {
      if (state.kind === 'listening') {
        hasListened = true;
        onListening();
      } else if (state.kind === 'refused' && !hasListened && LASTING.includes(state.code)) {
        reject(new PortRefusedError(state.code, state.message));
      }
    });
  });
  // It may come before somebody waits for it.
  refused.catch(() => {});
  return refused;
}
