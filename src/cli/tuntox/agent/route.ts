/** Whether a client goes through the user's agent, or that of this machine, and how. */
import type { AgentHost } from '../../../agent/messages.js';
import { ALIAS } from '../../../base/alias.js';
import { systemClock } from '../../../base/clock.js';
import { ownVersion } from '../../../base/own-files.js';
import type { ClientSettings, RunSettings } from '../../../config/classic-settings.js';
import { NETWORK_OPTIONS } from '../commands.js';
import type { GivenFlag } from '../flags.js';
import type { OptionName } from '../options.js';
import { AgentAccess } from './agent-access.js';
import { placesOf } from './agent-paths.js';
import { type AgentRoute, remoteThrough } from './agent-route.js';
import { isConnected } from './is-connected.js';
import { networkOptionsOf } from './network-options.js';
import { startAgent } from './start-agent.js';
import { systemRoute } from './system-route.js';

/** With these, another identity than that of the agent is asked for. */
const OWN_IDENTITY: readonly OptionName[] = ['--state-dir', '--id-file'];

/**
 * Returns the way through the agent: for hosts, which know its identity, unless -C names another one; for `-i ID` if it is connected to
 * that server at this moment, or the daemon of this machine shares such a connection. A secret may allow more than the identity of the
 * agent, so who gives one has a connection of their own.
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
      { clock: systemClock, log, start: () => startAgent(process, networkOptions) },
      { places, program: `tuntox ${ownVersion()}`, networkOptions },
    );
    return remoteThrough({ host, begin: (request) => access.begin(request) }, settings, log, shown);
  };
}
