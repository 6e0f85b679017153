/** Puts an engine together, from the identity up to the tunnels, and starts it. */

import { systemClock } from '../base/clock.js';
import { Endpoint } from '../base/endpoint.js';
import { isIP } from '../base/ip-address.js';
import type { Logger } from '../base/logger.js';
import { systemRandom } from '../base/random.js';
import type { PortRange } from '../config/formats.js';
import type { BootstrapAddress } from '../tox/tox.js';
import { Tox, type ToxOptions } from '../tox/tox.js';
import type { ServerPolicy } from '../tunnel/server/server-policy.js';
import { TunnelService } from '../tunnel/tunnel-service.js';
import { Engine } from './engine.js';
import { BootstrapNodesError, defaultNodesFile, loadBootstrapNodes } from './network/bootstrap-nodes.js';
import { Identity, type IdentityPlace } from './state/identity.js';
import type { SettingNames } from './state/setting-names.js';

export interface NetworkSettings {
  /** Undefined: random ones. */
  readonly udpPorts: PortRange | undefined;
  /** TCP port of our relay for others; 0 for no relay, undefined for the default of `isRelay`. */
  readonly relayPort: number | undefined;
  /** Whether a router may be asked to forward ports. */
  readonly portMapping: boolean;
  /** With either of these two, no other node is asked: a private network stays private. */
  readonly nodesFile: string | undefined;
  /** Empty: no nodes at all. */
  readonly nodes: readonly BootstrapAddress[] | undefined;
  readonly proxy: { readonly address: NonNullable<ToxOptions['proxy']> } | undefined;
  /** Default true; a private network never has it. */
  readonly lanDiscovery?: boolean;
}

export interface EngineOptions {
  readonly settings: NetworkSettings;
  readonly place: IdentityPlace;
  /** Whether we are a TCP relay for others, if the settings do not decide it. */
  readonly isRelay: boolean;
  /** Whether the engine runs long enough to ask a router to forward ports, if the settings allow it. */
  readonly isLasting: boolean;
  /** What peers may do here; default: nothing. */
  readonly policy?: Partial<ServerPolicy>;
  /** Returns the name of a peer for the log, by its key in hex; default: the first digits of the key. */
  readonly nameOf?: (peerId: string) => string;
  /** What errors call the settings. */
  readonly names: SettingNames;
  /** For forwards and tunnels; default: that of the rest. */
  readonly tunnelLog?: Logger;
}

/** Without given ports, eleven in a row above the privileged ones are chosen at random, as upstream does. */
const LOWEST_PORT = 1024;
const RANGE_LENGTH = 11;

/** @throws FileError, BootstrapNodesError, StateFileError, IdentityError, NetworkError */
export async function startEngine(log: Logger, options: EngineOptions): Promise<Engine> {
  const { settings, place, isRelay, isLasting, names, nameOf, policy = {} } = options;
  const named = nodesToAsk(settings);
  if (named.length === 0) log.info(`no bootstrap nodes, as configured: ${otherWaysIn(settings)}`);
  const nodes = settings.proxy === undefined || named.length === 0 ? named : withAddresses(named, log, names);
  const deps = { clock: systemClock, random: systemRandom, log };
  const identity = await Identity.open(deps, place, names);
  try {
    const tox = new Tox(
      { ...deps, log: log.child('tox') },
      {
        savedata: identity.savedata,
        ports: settings.udpPorts ?? randomPorts(),
        ...relayPortOf(settings, isRelay),
        // A user who names no node does not want to be reachable beyond the local network either.
        portMapping: isLasting && settings.portMapping && !nodes.every(isOnThisMachine),
        ipv6: true,
        // Another Tox program on the local network would connect a private network with the public one.
        lanDiscovery: settings.lanDiscovery !== false && !isPrivate(settings),
        ...(settings.proxy === undefined ? {} : { proxy: settings.proxy.address }),
      },
    );
    const tunnels = new TunnelService({ ...deps, log: options.tunnelLog ?? log, policy, nameOf });
    const engine = new Engine({ ...deps, tox, tunnels, identity }, { nodes, names });
    await engine.start();
    return engine;
  } catch (error) {
    await identity.close();
    throw error;
  }
}

/** Returns the option of the relay's port; without one the stack chooses a port. */
export function relayPortOf(
  { relayPort }: Pick<NetworkSettings, 'relayPort'>,
  isRelay: boolean,
): { readonly relayPort?: number } {
  if (relayPort !== undefined) return { relayPort };
  return isRelay ? {} : { relayPort: 0 };
}

/** Whether the settings name the bootstrap nodes. */
export const isPrivate = ({ nodesFile, nodes = [] }: Pick<NetworkSettings, 'nodesFile' | 'nodes'>): boolean =>
  nodesFile !== undefined || nodes.length > 0;

/** A network of nothing but this machine needs no router. */
const isOnThisMachine = ({ host }: BootstrapAddress): boolean =>
  host === 'localhost' || (Endpoint.of(host, 0)?.isLoopback ?? false);

/** Returns the nodes of the settings, which may be none; if the settings have none, the default nodes. */
export function nodesToAsk({ nodesFile, nodes }: Pick<NetworkSettings, 'nodesFile' | 'nodes'>): BootstrapAddress[] {
  if (nodesFile === undefined) return [...(nodes ?? loadBootstrapNodes(defaultNodesFile()))];
  return [...loadBootstrapNodes(nodesFile), ...(nodes ?? [])];
}

function otherWaysIn({ proxy, lanDiscovery }: NetworkSettings): string {
  const isLan = proxy === undefined && lanDiscovery !== false;
  return `peers are found ${isLan ? 'on the local network, and ' : ''}through nodes of an earlier run, if there are any`;
}

/**
 * Returns the nodes with a literal address. A proxy could look a name up, but others pass packets on to the node only by its
 * address, and SOCKS5 does not return it.
 */
function withAddresses(nodes: readonly BootstrapAddress[], log: Logger, names: SettingNames): BootstrapAddress[] {
  const left = nodes.filter(({ host }) => isIP(host) !== 0);
  if (left.length === 0) {
    throw new BootstrapNodesError(
      'bad-nodes',
      `with a proxy no name is looked up, and none of the nodes has a literal address: give one in ${names.nodes}`,
    );
  }
  if (left.length < nodes.length) {
    log.info(
      `ignoring ${nodes.length - left.length} of ${nodes.length} nodes, because with a proxy their names are not looked up`,
    );
  }
  return left;
}

function randomPorts(): PortRange {
  const first = LOWEST_PORT + systemRandom.below(0x10000 - RANGE_LENGTH - LOWEST_PORT + 1);
  return { first, last: first + RANGE_LENGTH - 1 };
}
