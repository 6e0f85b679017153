/** A bootstrap node: the part of the stack that serves other peers, with a key that outlasts restarts. */
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { systemRandom } from '../base/random.js';
import type { PublicKey } from '../tox/crypto/keys.js';
import { newSavedata } from '../tox/savedata.js';
import { Tox } from '../tox/tox.js';
import { NetworkEntry } from './network/network-entry.js';
import { isPrivate, type NetworkSettings, nodesToAsk, relayPortOf } from './start-engine.js';
import { NodeKey } from './state/node-key.js';
import type { SettingNames } from './state/setting-names.js';

/** The default port of Tox. Others name it in their configuration, so no other port is chosen by chance. */
const DEFAULT_PORT = 33445;

type NodeSettings = Pick<NetworkSettings, 'udpPorts' | 'relayPort' | 'nodesFile' | 'nodes'> & {
  /** Where the key is stored; undefined for a key of this run. */
  readonly directory: string | undefined;
};

export interface RunningNode {
  readonly publicKey: PublicKey;
  /** UDP. */
  readonly port: number;
  stop(): Promise<void>;
}

/** @throws FileError, BootstrapNodesError, StateFileError, NodeKeyError, NetworkError */
export async function startNode(log: Logger, settings: NodeSettings, names: SettingNames): Promise<RunningNode> {
  // A node joins the network of the given nodes; without any it is the first node of a private one.
  const nodes = isPrivate(settings) ? nodesToAsk(settings) : [];
  const deps = { clock: systemClock, random: systemRandom, log: log.child('tox') };
  const path = settings.directory;
  if (path === undefined) log.warn(`this key is for this run only: name a directory for it with ${names.directory}`);
  const key = await NodeKey.open(systemRandom, path === undefined ? undefined : { path, names });
  try {
    const tox = new Tox(deps, {
      // A node is not announced and has no friends, so its identity does not matter.
      savedata: newSavedata(systemRandom),
      role: 'node',
      dhtKeys: key.keyPair,
      ports: settings.udpPorts ?? { first: DEFAULT_PORT, last: DEFAULT_PORT },
      ...relayPortOf(settings, true),
      ipv6: true,
      lanDiscovery: false,
    });
    const entry = new NetworkEntry({ ...deps, tox }, nodes);
    tox.onOnlineChange((isOnline) => {
      log.info(isOnline ? 'online: another node answers' : 'offline: no other node answers');
      entry.onOnlineChange(isOnline);
    });
    await tox.start();
    entry.ask();
    return {
      publicKey: tox.dhtPublicKey,
      port: tox.localPort,
      stop: async () => {
        entry.close();
        await tox.stop();
        await key.close();
      },
    };
  } catch (error) {
    await key.close();
    throw error;
  }
}
