/** All paths of one client: those for its announcement, those for its searches, and the nodes of which both are made. */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import type { KeyPair } from '../crypto/keys.js';
import { SharedKeyCache } from '../crypto/shared-key-cache.js';
import type { NodeInfo } from '../packet/node-info.js';
import { HopPicker } from './hop-picker.js';
import { type EntryNode, type FirstHop, udpFirstHop } from './onion-path.js';
import { PathNodes, type PathNodesDeps } from './path-nodes.js';
import { PathPool } from './path-pool.js';

/** Shared keys of first hops. */
const FIRST_HOP_KEYS = 256;

export interface OnionPathsDeps extends PathNodesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly send: (packet: Buffer, destination: Endpoint) => void;
}

export class OnionPaths {
  readonly nodes: PathNodes;
  /** The paths of our announcement; separate, so that no exit sees both our key and those of our friends. */
  readonly own: PathPool;
  readonly friends: PathPool;

  constructor(deps: OnionPathsDeps, dhtKeyPair: KeyPair) {
    const { clock, random } = deps;
    this.nodes = new PathNodes(deps);
    const hops = new HopPicker({
      clock,
      random,
      nodes: () => this.nodes.nodes,
      relays: () => this.nodes.relays,
      health: deps.dht.liveness,
    });
    const firstHop = firstHops(deps, dhtKeyPair);
    this.own = new PathPool({ clock, random, hops, firstHop });
    this.friends = new PathPool({ clock, random, hops, firstHop });
  }

  /** Gives up all paths. */
  clear(): void {
    this.own.clear();
    this.friends.clear();
  }

  /** Gives up paths that never answered or wait for an answer, because another first hop is available. */
  forgetUnanswered(): void {
    this.own.forgetUnanswered();
    this.friends.forgetUnanswered();
  }

  /** Gives up the paths through a node that is gone. @returns whether there were any */
  forgetThrough(node: NodeInfo): boolean {
    return [this.own, this.friends].map((pool) => pool.forgetThrough(node.publicKey)).includes(true);
  }
}

function firstHops({ relays, send }: OnionPathsDeps, dhtKeyPair: KeyPair): (node: EntryNode) => FirstHop {
  const keys = new SharedKeyCache(dhtKeyPair.secretKey, FIRST_HOP_KEYS);
  return (node) =>
    // A TCP relay gets the layer as it is: our connection to it stands for the seal.
    node.transport === 'tcp'
      ? (nonce, layer) => relays?.sendOnion(node.publicKey, Buffer.concat([nonce, layer]))
      : udpFirstHop({ ownKey: dhtKeyPair.publicKey, sharedKey: keys.get(node.publicKey), send }, node);
}
