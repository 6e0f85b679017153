/**
 * The network settings of the user's daemon, which is the agent while it runs: the agent that takes its place has the same identity, and
 * must not show to the network what the daemon hides.
 */
import { existsSync, realpathSync } from 'node:fs';
import { userDirectories } from '../../base/user-directories.js';
import type { CommonSettings, RunSettings } from '../../config/classic-settings.js';
import { type DaemonPaths, daemonPaths, proxyMark } from '../../config/daemon-paths.js';
import type { DaemonSettings } from '../../config/daemon-settings.js';
import type { GivenFlag } from './flags.js';
import type { OptionName } from './options.js';
import { UsageError } from './usage-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Adds the network settings of the user's daemon to those of a command that uses the user's identity; an option comes first.
 * @param paths of the user's daemon
 * @throws UsageError if the settings of the daemon have errors, or contradict an option; or if the daemon used a proxy that is not there
 */
export async function withUserNetwork<Settings extends RunSettings>(
  settings: Settings,
  flags: readonly GivenFlag[],
  environment: Environment,
  paths = daemonPaths(environment),
): Promise<Settings> {
  const { state } = userDirectories(environment);
  const isOfUser = settings.mode === 'agent' || (settings.mode !== 'node' && isSame(settings.directory, state));
  // Otherwise this user's daemon would be that of the machine.
  if (!isOfUser || paths.owner === 'system') return settings;
  const mark = proxyMark(state);
  const network = await networkOfDaemon(state, environment, paths);
  const used = network === undefined ? settings : { ...settings, ...networkOf(settings, flags, network) };
  if (used.proxy?.from !== 'settings' && flags.every(({ flag }) => flag !== '--proxy') && existsSync(mark)) {
    throw new UsageError(
      `your tuntoxd used a proxy that ${paths.config} does not name: set network.proxy there, or add --proxy URL, or --proxy none to use none; ${mark} goes away when tuntoxd starts without a proxy`,
    );
  }
  return used;
}

/** Whether a directory is this one, also by a link. */
function isSame(directory: string | undefined, other: string): boolean {
  if (directory === undefined || directory === other) return directory === other;
  try {
    return realpathSync(directory) === realpathSync(other);
  } catch {
    // One of them does not exist.
    return false;
  }
}

type Network = DaemonSettings['network'] & { readonly place: string };

/** Returns undefined if the settings are for another identity. @throws UsageError */
async function networkOfDaemon(
  state: string,
  environment: Environment,
  paths: DaemonPaths,
): Promise<Network | undefined> {
  const { loadSettings, SettingsError } = await import('../../config/daemon-settings.js');
  try {
    const { settings, effective } = loadSettings({ configFile: undefined, flags: [], environment, paths });
    const place = effective.get('network.proxy')?.place ?? paths.config;
    return settings.stateDirectory === state ? { ...settings.network, place } : undefined;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new UsageError(
      `the network settings of your tuntoxd apply here too, and its settings have errors: ${error.errors.join('; ')}`,
    );
  }
}

function networkOf(
  { proxy, udpPorts, nodes, nodesFile, portMapping }: CommonSettings,
  flags: readonly GivenFlag[],
  network: Network,
): Partial<CommonSettings> {
  const isGiven = (...names: readonly OptionName[]): boolean => flags.some(({ flag }) => names.includes(flag));
  const ofDaemon = network.proxy && ({ from: 'settings', address: network.proxy } as const);
  const used = isGiven('--proxy') ? proxy : (ofDaemon ?? proxy);
  const relay = flags.findLast(({ flag }) => flag === '--relay-port');
  const opening = flags.findLast(({ flag }) => flag === '--udp-ports') ?? (relay?.value === '0' ? undefined : relay);
  if (used?.from === 'settings' && opening !== undefined) {
    throw new UsageError(
      `${opening.written} opens a port, which the proxy of your tuntoxd (${network.place}) cannot do: remove it, or add --proxy none`,
    );
  }
  const hasNodes = isGiven('--bootstrap', '--nodes-file');
  return {
    proxy: used,
    // The relay of the daemon is for others, and ends with it.
    udpPorts: isGiven('--udp-ports') ? udpPorts : network.udpPorts,
    nodes: hasNodes ? nodes : network.nodes,
    nodesFile: hasNodes ? nodesFile : network.nodesFile,
    lanDiscovery: network.lanDiscovery,
    portMapping: portMapping && network.portMapping,
  };
}
