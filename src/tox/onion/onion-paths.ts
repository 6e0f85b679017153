/** All paths of one client: those by which it is announced, those by which it searches, and the nodes that both are made of. */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import type { KeyPair } from '../crypto/keys.js';
import { SharedKeyCache } from '../crypto/shared-key-cache.js';
import type { NodeInfo } from '../packet/node-info.js';
import { type FirstHop, RelayFirstHop, UdpFirstHop } from './first-hop.js';
import { HopPicker } from './hop-picker.js';
import type { EntryNode } from './onion-path.js';
import { type EntryRelays, type NodeHealth, PathNodes } from './path-nodes.js';
import { PathPool } from './path-pool.js';

/** Shared keys of first hops. */
const FIRST_HOP_KEYS = 256;

export interface OnionPathsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly dhtKeyPair: KeyPair;
  readonly send: (packet: Buffer, destination: Endpoint) => void;
  readonly pathNodes: () => readonly NodeInfo[];
  readonly relays?: EntryRelays;
  readonly health?: NodeHealth;
}

export class OnionPaths {
  readonly nodes: PathNodes;
  /** Separate, so that no exit sees both who we are and whom we look for. */
  readonly own: PathPool;
  readonly friends: PathPool;

  constructor(deps: OnionPathsDeps) {
    const { clock, random } = deps;
    this.nodes = new PathNodes(deps);
    const hops = new HopPicker({
      clock,
      random,
      nodes: () => this.nodes.nodes,
      relays: () => this.nodes.relays,
      health: deps.health,
    });
    const firstHop = firstHops(deps);
    this.own = new PathPool({ clock, random, hops, firstHop });
    this.friends = new PathPool({ clock, random, hops, firstHop });
  }

  /** All are given up. */
  clear(): void {
    this.own.clear();
    this.friends.clear();
  }

  /** Another way to begin has turned up: paths that never answered, or wait for an answer, are given up. */
  forgetUnanswered(): void {
    this.own.forgetUnanswered();
    this.friends.forgetUnanswered();
  }

  /** A node is gone. @returns whether a path went through it */
  forgetThrough(node: NodeInfo): boolean {
    return [this.own, this.friends].map((pool) => pool.forgetThrough(node.publicKey)).includes(true);
  }
}

function firstHops({ dhtKeyPair, relays, send }: OnionPathsDeps): (node: EntryNode) => FirstHop {
  const keys = new SharedKeyCache(dhtKeyPair.secretKey, FIRST_HOP_KEYS);
  return (node) =>
    node.transport === 'tcp'
      ? new RelayFirstHop({ send: (data) => relays?.sendOnion(node.publicKey, data) })
      : new UdpFirstHop({ ownKey: dhtKeyPair.publicKey, sharedKey: keys.get(node.publicKey), send }, node);
}
