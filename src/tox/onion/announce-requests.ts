/**
 * Announce requests on their way (c-toxcore onion_client.c: announce_ping_array). A response counts once, when it names
 * the random number of a request and is sealed by the node that the request went to.
 */
import type { Clock } from '../../base/clock.js';
import { ExpiringMap } from '../../base/expiring-map.js';
import { type Random, randomId } from '../../base/random.js';
import { open, seal } from '../crypto/box.js';
import { type KeyPair, PublicKey } from '../crypto/keys.js';
import { SharedKeyCache } from '../crypto/shared-key-cache.js';
import { NONCE_SIZE, PUBLIC_KEY_SIZE } from '../crypto/sodium.js';
import {
  type AnnounceResponse,
  decodeAnnounceResponse,
  decodeAnnounceResponseContent,
  encodeAnnounceRequest,
  encodeAnnounceRequestContent,
  PING_ID_SIZE,
} from '../packet/announce.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { OnionPath } from './onion-path.js';
import type { PathPool } from './path-pool.js';

/** Specification (c-toxcore ANNOUNCE_TIMEOUT), ms. */
const LIFETIME = 10_000;
/** C-toxcore keeps 256; one lookup of ours may have 64 under way, and a server looks for many friends. */
const CAPACITY = 2_048;
/** Nodes that one requester deals with at a time, and some more. */
const SHARED_KEYS = 128;

export const NO_PING_ID = Buffer.alloc(PING_ID_SIZE);
const NO_DATA_KEY = new PublicKey(Buffer.alloc(PUBLIC_KEY_SIZE));

/** In whose name requests are sent, and what they ask; the same for all requests of a search. */
export interface Requester {
  readonly publicKey: PublicKey;
  readonly sharedKeys: SharedKeyCache;
  readonly searchedKey: PublicKey;
  readonly dataKey: PublicKey;
}

/** Asks for `searchedKey` under a key of its own, so that nodes do not learn who searches. */
export function searcher(keyPair: KeyPair, searchedKey: PublicKey): Requester {
  return requester(keyPair, searchedKey, NO_DATA_KEY);
}

/** Announces the key pair's own key. */
export function announcer(keyPair: KeyPair, dataKey: PublicKey): Requester {
  return requester(keyPair, keyPair.publicKey, dataKey);
}

function requester({ publicKey, secretKey }: KeyPair, searchedKey: PublicKey, dataKey: PublicKey): Requester {
  return { publicKey, sharedKeys: new SharedKeyCache(secretKey, SHARED_KEYS), searchedKey, dataKey };
}

export interface RequestAnswer extends AnnounceResponse {
  readonly node: NodeInfo;
  /** The path that worked, and to whose exit a ping id in the answer is bound. */
  readonly path: OnionPath;
  /** What the request carried. */
  readonly pingId: Buffer;
}

/** One request to be sent. */
export interface RequestOrder {
  readonly requester: Requester;
  readonly node: NodeInfo;
  readonly path: OnionPath;
  /** The pool that the path is from. */
  readonly pool: PathPool;
  readonly pingId: Buffer;
  readonly onAnswer: (answer: RequestAnswer) => void;
}

export class AnnounceRequests {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #pending = new ExpiringMap<bigint, RequestOrder>(LIFETIME, CAPACITY);

  constructor(deps: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = deps.clock;
    this.#random = deps.random;
  }

  send(order: RequestOrder): void {
    const { requester, node, path, pool, pingId } = order;
    const sendback = randomId(this.#random);
    const nonce = this.#random.bytes(NONCE_SIZE);
    const { publicKey, sharedKeys, searchedKey, dataKey } = requester;
    const content = encodeAnnounceRequestContent({ pingId, searchedKey, dataKey, sendback });
    const sealed = seal(sharedKeys.get(node.publicKey), nonce, content);
    this.#pending.set(sendback, order, this.#clock.now());
    pool.noteRequest(path);
    path.send(encodeAnnounceRequest('classic', { nonce, requester: publicKey, sealed }), node.endpoint);
  }

  /**
   * Hands a response to whoever sent its request.
   * @param onNode told who answered
   * @returns false when there is no such request, or it is forged
   */
  receive(packet: Buffer, filter: (node: NodeInfo) => boolean, onNode?: (node: NodeInfo) => void): boolean {
    const response = decodeAnnounceResponse('classic', packet);
    if (response === undefined) return false;
    const order = this.#pending.get(response.sendback, this.#clock.now());
    if (order === undefined) return false;
    const { node, path, pool, pingId } = order;
    const plain = open(order.requester.sharedKeys.get(node.publicKey), response.nonce, response.sealed);
    const content = plain && decodeAnnounceResponseContent('classic', plain);
    if (content === undefined) return false;
    // Only now: a hop that alters responses shall not spoil the honest one that may come by another way.
    this.#pending.delete(response.sendback);
    pool.noteAnswer(path);
    onNode?.(node);
    order.onAnswer({ outcome: content.outcome, nodes: content.nodes.filter(filter), node, path, pingId });
    return true;
  }

  clear(): void {
    this.#pending.clear();
  }
}
