/** The way through the daemon of this machine, which shares the targets of its forwards if its owner wants that. */
import { Conversation } from '../../../agent/conversation.js';
import { SYSTEM_PLACES } from '../../../agent/socket-file.js';
import { systemClock } from '../../../base/clock.js';
import { demoted } from '../../../base/logger.js';
import type { ClientSettings } from '../../../config/classic-settings.js';
import type { TargetText } from '../../../config/formats.js';
import { AgentRemote } from '../../../engine/agent/agent-remote.js';
import { agentTarget } from '../../../engine/agent/agent-target.js';
import type { AgentRoute } from './agent-route.js';
import { isConnected } from './is-connected.js';

const ROOT = 0;

/** @returns undefined if the daemon is not connected, or does not share all that is asked; root's bytes go through no other user */
export async function systemRoute(process: NodeJS.Process, settings: ClientSettings): Promise<AgentRoute | undefined> {
  const targets = targetsOf(settings);
  if (targets === undefined || process.geteuid?.() === ROOT) return undefined;
  const host = { toxId: settings.serverId.toString() };
  if (!(await isConnected(SYSTEM_PLACES, host, targets.map(agentTarget)))) return undefined;
  return (log, { isShown }) => {
    log.info('using the connection of the daemon of this machine, with its identity; to use your own: -C DIR');
    return new AgentRemote(
      {
        clock: systemClock,
        log,
        connectionLog: isShown ? demoted(log, 'info', 'warn') : log,
        begin: async (request) =>
          (await Conversation.begin({ clock: systemClock }, SYSTEM_PLACES, request)).conversation,
      },
      {
        host,
        name: settings.serverId.publicKey.short,
        retry: settings.patience,
        isLasting: settings.mode === 'forward',
        isOfSystem: true,
      },
    );
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
