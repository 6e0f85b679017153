/** The way of a client through the user's agent, or that of this machine. */
import { AgentError, Conversation } from '../../../agent/conversation.js';
import type { AgentHost, AgentTarget, ServerRequest } from '../../../agent/messages.js';
import { type AgentPlaces, AgentSocketError, SYSTEM_PLACES } from '../../../agent/socket-file.js';
import { ALIAS } from '../../../base/alias.js';
import { systemClock } from '../../../base/clock.js';
import { demoted, type Logger } from '../../../base/logger.js';
import { ownVersion } from '../../../base/own-files.js';
import { type ClientSettings, type RunSettings, serverName } from '../../../config/classic-settings.js';
import type { TargetText } from '../../../config/formats.js';
import { AgentRemote, type AgentRemoteDeps, type AgentRemoteOptions } from '../../../engine/agent/agent-remote.js';
import { agentTarget } from '../../../engine/agent/agent-target.js';
import type { GivenFlag } from '../flags.js';
import { NETWORK_OPTIONS } from '../option-table.js';
import type { OptionName } from '../options.js';
import { AgentAccess } from './agent-access.js';
import { placesOf } from './agent-paths.js';
import { networkOptionsOf } from './network-options.js';
import { startAgent } from './start-agent.js';

/** With these, another identity than that of the agent is asked for. */
const OWN_IDENTITY: readonly OptionName[] = ['--state-dir', '--id-file'];
const ROOT = 0;

/** Makes the connection; its log may be in the background. @param options.isShown whether a display tells its events */
export type AgentRoute = (log: Logger, options: { readonly isShown: boolean }) => AgentRemote;

/**
 * Returns the way through the agent: for hosts, which know its identity, unless -C names another one; for `-i ID` if it is connected to
 * that server at this moment, or the daemon of this machine shares such a connection. A secret may allow more than the identity of the
 * agent, so a client with a secret connects itself.
 * @returns undefined if the client connects itself @throws AgentSocketError
 */
export async function agentRoute(
  process: NodeJS.Process,
  settings: RunSettings,
  flags: readonly GivenFlag[],
): Promise<AgentRoute | undefined> {
  const isGiven = (names: readonly OptionName[]): boolean => flags.some(({ flag }) => names.includes(flag));
  if (!('serverId' in settings) || isGiven(OWN_IDENTITY)) return undefined;
  const { host, serverId, secret } = settings;
  const toxId = serverId.toString();
  if (host !== undefined) {
    const isKnown = secret.from === 'host' || secret.from === 'link';
    const named = {
      toxId,
      secret: isKnown ? secret.text : undefined,
      name: ALIAS.test(host.name) ? host.name : undefined,
    };
    return routeTo(process, named, settings, flags);
  }
  const isPlain = secret.from === 'nowhere' && settings.proxy === undefined && !isGiven(NETWORK_OPTIONS);
  if (!isPlain) return undefined;
  if (await isConnected(placesOf(process.env), { toxId })) return routeTo(process, { toxId }, settings, flags);
  return systemRoute(process, settings);
}

function routeTo(
  process: NodeJS.Process,
  host: AgentHost,
  settings: ClientSettings,
  flags: readonly GivenFlag[],
): AgentRoute {
  const places = placesOf(process.env);
  const networkOptions = networkOptionsOf(flags);
  return (log, shown) => {
    const access = new AgentAccess(
      { clock: systemClock, log, start: (options) => startAgent(process, options) },
      { places, program: `tuntox ${ownVersion()}`, networkOptions },
    );
    return remoteThrough({ host, begin: (request) => access.begin(request) }, settings, log, shown);
  };
}

/**
 * Returns the way through the daemon of this machine, which shares the targets of its forwards if its owner wants that.
 * @returns undefined if the daemon is not connected, or does not share all that is asked; root's bytes go through no other user
 */
async function systemRoute(process: NodeJS.Process, settings: ClientSettings): Promise<AgentRoute | undefined> {
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

function remoteThrough(
  { begin, ...agent }: Pick<AgentRemoteDeps, 'begin'> & Pick<AgentRemoteOptions, 'host' | 'isOfSystem'>,
  settings: ClientSettings,
  log: Logger,
  { isShown }: { readonly isShown: boolean },
): AgentRemote {
  return new AgentRemote(
    { clock: systemClock, log, connectionLog: isShown ? demoted(log, 'info', 'warn') : log, begin },
    { ...agent, name: serverName(settings), retry: settings.patience, isLasting: settings.mode === 'forward' },
  );
}

/** Whether an agent is connected to a server at this moment, and would refuse none of the targets. */
async function isConnected(places: AgentPlaces, host: AgentHost, targets?: readonly AgentTarget[]): Promise<boolean> {
  try {
    const request = { ask: 'hold', host, targets, onlyIfConnected: true } as const;
    return (await Conversation.ask({ clock: systemClock }, places, request))?.event === 'held';
  } catch (error) {
    if (error instanceof AgentError || error instanceof AgentSocketError) return false;
    throw error;
  }
}
