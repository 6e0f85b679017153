/** A way to a server through an agent. */
import type { Logger } from '../../../base/logger.js';
import type { AgentRemote } from '../../../engine/agent/agent-remote.js';

/** Makes the connection; its log may be in the background. @param options.isShown whether a display tells its events */
export type AgentRoute = (log: Logger, options: { readonly isShown: boolean }) => AgentRemote;
