/** What the two lists of nodes have in common: the close list, near to ourselves, and a search list, near to a friend. */
import type { Endpoint } from '../../../base/endpoint.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { DhtNode } from './dht-node.js';

export interface NodeList {
  /** The key to which its nodes are near. */
  readonly target: PublicKey;
  /** Every node, good or not. */
  nodes(): readonly DhtNode[];
  find(key: PublicKey): DhtNode | undefined;
  /** Whether the node should be asked: it would enter, or it is in the list without a good address of that family. */
  wants(key: PublicKey, endpoint: Endpoint, now: number): boolean;
  /** Adds or refreshes a node that has answered. */
  insert(key: PublicKey, endpoint: Endpoint, now: number): InsertResult;
  /** Removes a node of the list. */
  remove(node: DhtNode): void;
}

/** `new` also stands for a bad node that is good again. */
export type InsertResult = 'new' | 'refreshed' | 'refused';
