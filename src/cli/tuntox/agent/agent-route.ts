/** A way to a server through an agent. */
import type { Conversation } from '../../../agent/conversation.js';
import type { AgentHost, ServerRequest } from '../../../agent/messages.js';
import { systemClock } from '../../../base/clock.js';
import { demoted, type Logger } from '../../../base/logger.js';
import { type ClientSettings, serverName } from '../../../config/classic-settings.js';
import { AgentRemote } from '../../../engine/agent/agent-remote.js';

/** Makes the connection; its log may be in the background. @param options.isShown whether a display tells its events */
export type AgentRoute = (log: Logger, options: { readonly isShown: boolean }) => AgentRemote;

interface Way {
  readonly host: AgentHost;
  /** Whether it is the daemon of this machine. */
  readonly isOfSystem?: boolean;
  /** Asks the agent. @throws AgentSocketError, AgentError */
  readonly begin: (request: ServerRequest) => Promise<Conversation>;
}

export function remoteThrough(
  { host, begin, isOfSystem = false }: Way,
  settings: ClientSettings,
  log: Logger,
  { isShown }: { readonly isShown: boolean },
): AgentRemote {
  return new AgentRemote(
    { clock: systemClock, log, connectionLog: isShown ? demoted(log, 'info', 'warn') : log, begin },
    {
      host,
      name: serverName(settings),
      retry: settings.patience,
      isLasting: settings.mode === 'forward',
      isOfSystem,
    },
  );
}
