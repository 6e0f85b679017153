/** Before a daemon of a user starts: the agent of `tuntox` (agent/) has the same identity, and ends for the daemon, which takes its place. */
import { AgentError, Conversation } from '../agent/conversation.js';
import { AgentSocketError, type UserPlaces } from '../agent/socket-file.js';
import { type Clock, pause } from '../base/clock.js';
import { CodedError, messageOf } from '../base/coded-error.js';
import { SERVICE_COMMANDS } from '../base/daemon-service.js';
import type { Logger } from '../base/logger.js';

/** The message says what to do. */
export class AgentHandoverError extends CodedError<'in-use'> {}

/** ms for which the daemon waits for the agent to end, and between two looks. */
const PATIENCE = 10_000;
const INTERVAL = 100;
/** What an agent says that ends already. */
const ENDING: ReadonlySet<string> = new Set(['shutting-down', 'agent-ended']);

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether a process of this user runs. */
  readonly isRunning: (pid: number) => boolean;
}

/** Resolves when no agent has the identity. @param places of its socket @throws AgentHandoverError when it is in use */
export async function endAgent({ clock, log, isRunning }: Deps, places: UserPlaces): Promise<void> {
  const pid = await askToEnd(clock, places);
  if (pid === undefined) return;
  log.info(`the agent of tuntox (process ${pid}) ends, and this daemon takes its place`);
  for (let waited = 0; waited < PATIENCE; waited += INTERVAL) {
    // Until then it has the lock of the identity.
    if (!isRunning(pid)) return;
    await pause(clock, INTERVAL);
  }
  const message = `the agent of tuntox (process ${pid}) is in use, and has the identity: end the commands that use it, or run tuntox agent stop`;
  throw new AgentHandoverError('in-use', message);
}

/** Asks the agent to end when nobody uses it. @returns its process ID; undefined if there is none */
async function askToEnd(clock: Clock, places: UserPlaces): Promise<number | undefined> {
  try {
    const { conversation, hello } = await Conversation.begin({ clock }, places, { ask: 'stop', when: 'idle' });
    const { program, pid } = hello;
    await conversation
      .until('stopping', () => {})
      .catch((error: unknown) => {
        if (error instanceof AgentError && error.code === 'not-allowed') {
          const text = `a daemon of this user runs already (${program}, process ${pid}): ${SERVICE_COMMANDS.user.stop}, or kill ${pid}`;
          throw new AgentHandoverError('in-use', text, { cause: error });
        }
        if (!(error instanceof AgentError && ENDING.has(error.code))) throw error;
      })
      .finally(() => conversation.close());
    return pid;
  } catch (error) {
    if (error instanceof AgentSocketError && error.code === 'not-running') return undefined;
    if (error instanceof AgentHandoverError) throw error;
    throw new AgentHandoverError('in-use', messageOf(error), { cause: error });
  }
}
