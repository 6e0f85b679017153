/** What the two lists of nodes have in common: the close list, near to ourselves, and a search list, near to a friend. */
import type { Endpoint } from '../../../base/endpoint.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { DhtNode } from './dht-node.js';

export interface NodeList {
  /** The key that its nodes are near to. */
  readonly target: PublicKey;
  /** Every node, good or not. */
  nodes(): readonly DhtNode[];
  find(key: PublicKey): DhtNode | undefined;
  /** Whether asking this node is worth it: it would enter, or it is in but not known to be good by that family. */
  wants(key: PublicKey, endpoint: Endpoint, now: number): boolean;
  /** The node has answered: adds or refreshes it. Says what became of it. */
  insert(key: PublicKey, endpoint: Endpoint, now: number): InsertResult;
  /** Forgets a node of the list. */
  remove(node: DhtNode): void;
}

/** `new` also is a node that had gone bad and came back. */
export type InsertResult = 'new' | 'refreshed' | 'refused';
