/**
 * Announce requests that wait for an answer (c-toxcore onion_client.c: announce_ping_array). A response counts once, if it has the
 * random number of a request and is sealed by the node that was asked.
 */
import type { Clock } from '../../base/clock.js';
import { ExpiringMap } from '../../base/expiring-map.js';
import { type Random, randomId } from '../../base/random.js';
import { open, seal } from '../crypto/box.js';
import type { KeyPair } from '../crypto/key-pair.js';
import { PUBLIC_KEY_SIZE, PublicKey } from '../crypto/keys.js';
import { SharedKeyCache } from '../crypto/shared-key-cache.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
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
/** c-toxcore has 256; one of our searches may have 64 requests in flight, and a server searches for many friends. */
const CAPACITY = 2_048;
/** More than the nodes that one requester asks at a time. */
const SHARED_KEYS = 128;

export const NO_PING_ID = Buffer.alloc(PING_ID_SIZE);
const NO_DATA_KEY = new PublicKey(Buffer.alloc(PUBLIC_KEY_SIZE));

/** The key that sends requests, and what they ask; the same for all requests of a search. */
export interface Requester {
  readonly publicKey: PublicKey;
  readonly sharedKeys: SharedKeyCache;
  readonly searchedKey: PublicKey;
  readonly dataKey: PublicKey;
}

/** Announces the own key of the pair under a data key, or searches for another key under a pair made for it, which hides our own. */
export function requester(
  { publicKey, secretKey }: KeyPair,
  {
    searchedKey = publicKey,
    dataKey = NO_DATA_KEY,
  }: { readonly searchedKey?: PublicKey; readonly dataKey?: PublicKey },
): Requester {
  return { publicKey, sharedKeys: new SharedKeyCache(secretKey, SHARED_KEYS), searchedKey, dataKey };
}

export interface RequestAnswer extends AnnounceResponse {
  readonly node: NodeInfo;
  /** The path of the request; a ping id in the answer is bound to its exit. */
  readonly path: OnionPath;
  /** The ping id of the request. */
  readonly pingId: Buffer;
}

export interface OutgoingRequest {
  readonly requester: Requester;
  readonly node: NodeInfo;
  readonly path: OnionPath;
  /** The pool of the path. */
  readonly pool: PathPool;
  readonly pingId: Buffer;
  readonly onAnswer: (answer: RequestAnswer) => void;
}

export class AnnounceRequests {
  readonly #deps: { readonly clock: Clock; readonly random: Random };
  readonly #pending = new ExpiringMap<bigint, OutgoingRequest>(LIFETIME, CAPACITY);

  constructor(deps: { readonly clock: Clock; readonly random: Random }) {
    this.#deps = deps;
  }

  send(request: OutgoingRequest): void {
    const { clock, random } = this.#deps;
    const { requester, node, path, pool, pingId } = request;
    const sendback = randomId(random);
    const nonce = random.bytes(NONCE_SIZE);
    const { publicKey, sharedKeys, searchedKey, dataKey } = requester;
    const content = encodeAnnounceRequestContent({ pingId, searchedKey, dataKey, sendback });
    const sealed = seal(sharedKeys.get(node.publicKey), nonce, content);
    this.#pending.set(sendback, request, clock.now());
    pool.noteRequest(path);
    path.send(encodeAnnounceRequest('classic', { nonce, requester: publicKey, sealed }), node.endpoint);
  }

  /**
   * Passes a response to the sender of its request.
   * @param filter false for nodes of the answer that must not be used
   * @param onNode called with the node that answered
   * @returns false when there is no such request, or it is forged
   */
  receive(packet: Buffer, filter: (node: NodeInfo) => boolean, onNode?: (node: NodeInfo) => void): boolean {
    const response = decodeAnnounceResponse('classic', packet);
    if (response === undefined) return false;
    const request = this.#pending.get(response.sendback, this.#deps.clock.now());
    if (request === undefined) return false;
    const { node, path, pool, pingId } = request;
    const plain = open(request.requester.sharedKeys.get(node.publicKey), response.nonce, response.sealed);
    const content = plain && decodeAnnounceResponseContent('classic', plain);
    if (content === undefined) return false;
    // Only now: an altered response must not keep the honest one from counting, which may come by another path.
    this.#pending.delete(response.sendback);
    pool.noteAnswer(path);
    onNode?.(node);
    request.onAnswer({ outcome: content.outcome, nodes: content.nodes.filter(filter), node, path, pingId });
    return true;
  }

  clear(): void {
    this.#pending.clear();
  }
}
