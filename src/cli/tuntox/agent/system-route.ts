/** The way through the daemon of this machine, which shares the targets of its forwards if its owner wants that. */
import { Conversation } from '../../../agent/conversation.js';
import type { ServerRequest } from '../../../agent/messages.js';
import { SYSTEM_PLACES } from '../../../agent/socket-file.js';
import { systemClock } from '../../../base/clock.js';
import type { ClientSettings } from '../../../config/classic-settings.js';
import type { TargetText } from '../../../config/formats.js';
import { agentTarget } from '../../../engine/agent/agent-target.js';
import { type AgentRoute, remoteThrough } from './agent-route.js';
import { isConnected } from './is-connected.js';

const ROOT = 0;

/** @returns undefined if the daemon is not connected, or does not share all that is asked; root's bytes go through no other user */
export async function systemRoute(process: NodeJS.Process, settings: ClientSettings): Promise<AgentRoute | undefined> {
  const targets = targetsOf(settings);
  if (targets === undefined || process.geteuid?.() === ROOT) return undefined;
  const host = { toxId: settings.serverId.toString() };
  if (!(await isConnected(SYSTEM_PLACES, host, targets.map(agentTarget)))) return undefined;
  const begin = async (request: ServerRequest): Promise<Conversation> =>
    (await Conversation.begin({ clock: systemClock }, SYSTEM_PLACES, request)).conversation;
  return (log, shown) => {
    log.info('using the connection of the daemon of this machine, with its identity; to use your own: -C DIR');
    return remoteThrough({ host, begin, isOfSystem: true }, settings, log, shown);
  };
}

/** Returns undefined for a job whose targets are not known yet. */
function targetsOf(settings: ClientSettings): readonly TargetText[] | undefined {
  switch (settings.mode) {
    case 'forward':
      return settings.forwards.every((forward) => forward.kind === 'local')
        ? settings.forwards.map(({ target }) => target)
        : undefined;
    case 'pipe':
      return settings.sshPort === undefined ? [settings.target] : undefined;
    case 'ping':
      return [];
    default:
      return undefined;
  }
}
