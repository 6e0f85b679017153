/**
 * The node at the end of onion paths (spec: "Onion announce"): stores announcements, answers searches for them, and passes data on to
 * announced clients.
 */
import { ownedCopy } from '../../base/bytes.js';
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import { TokenBucket } from '../../base/token-bucket.js';
import { seal } from '../crypto/box.js';
import type { KeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import { SharedKeyCache } from '../crypto/shared-key-cache.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
import type { DatagramHandler } from '../network/datagram-socket.js';
import {
  type AnnounceOutcome,
  type AnnounceRequest,
  type AnnounceVariant,
  decodeAnnounceRequest,
  decodeAnnounceRequestContent,
  encodeAnnounceResponse,
  encodeAnnounceResponseContent,
  MAX_ANNOUNCED_NODES,
} from '../packet/announce.js';
import { UdpKind } from '../packet/kind.js';
import type { NodeInfo } from '../packet/node-info.js';
import { decodeOnionDelivery, encodeOnionResponse } from '../packet/onion.js';
import { decodeOnionDataRequest, encodeOnionDataResponse } from '../packet/onion-data.js';
import { AnnounceStore } from './announce-store.js';
import { PingIds } from './ping-ids.js';

/** Requests of new keys a second; each costs a key agreement of 60 µs. */
const NEW_REQUESTERS_PER_SECOND = 1000;
/** Requests of known keys a second, 20 µs each. */
const REQUESTS_PER_SECOND = 4000;

export interface AnnounceServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The DHT key pair. */
  readonly keyPair: KeyPair;
  /** Returns the good nodes closest to `target`. @param options.lan whether nodes of local networks are included */
  readonly closestNodes: (target: PublicKey, count: number, options: { readonly lan: boolean }) => readonly NodeInfo[];
  readonly send: (packet: Buffer, destination: Endpoint) => void;
  /** A client has announced itself here, for the first time or under a new data key. */
  readonly onStored?: (publicKey: PublicKey) => void;
}

export class AnnounceServer {
  readonly #deps: AnnounceServerDeps;
  readonly #sharedKeys: SharedKeyCache;
  readonly #newRequesters: TokenBucket;
  readonly #requests: TokenBucket;
  readonly #pingIds: PingIds;
  readonly #store: AnnounceStore;
  #dropped = 0;

  constructor(deps: AnnounceServerDeps) {
    this.#deps = deps;
    // Not the DHT's cache: requesters' keys come and go, and would push the nodes' keys out.
    this.#sharedKeys = new SharedKeyCache(deps.keyPair.secretKey);
    const now = deps.clock.now();
    this.#newRequesters = new TokenBucket(NEW_REQUESTERS_PER_SECOND, NEW_REQUESTERS_PER_SECOND, now);
    this.#requests = new TokenBucket(REQUESTS_PER_SECOND, REQUESTS_PER_SECOND, now);
    this.#pingIds = new PingIds(deps);
    this.#store = new AnnounceStore(deps.keyPair.publicKey);
  }

  routes(): [number, DatagramHandler][] {
    return [
      [UdpKind.AnnounceRequest, (packet, source) => this.#answer('classic', packet, source)],
      [UdpKind.AnnounceRequestExtended, (packet, source) => this.#answer('extended', packet, source)],
      [UdpKind.OnionDataRequest, (packet) => this.#passOn(packet)],
    ];
  }

  /** The number of packets that were malformed, not for us, or for a client that we do not store. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Returns the data key of a client that is announced here; our own searches ask this store as well. */
  dataKeyOf(publicKey: PublicKey): PublicKey | undefined {
    return this.#store.get(publicKey, this.#deps.clock.now())?.dataKey;
  }

  /** Sends a data request (0x85) of our own to a client that is announced here. @returns false when it is not */
  deliver(packet: Buffer): boolean {
    const request = decodeOnionDataRequest(packet);
    const entry = request && this.#store.get(request.receiver, this.#deps.clock.now());
    if (request === undefined || entry === undefined) return false;
    const data = encodeOnionDataResponse(request);
    this.#deps.send(encodeOnionResponse(3, { sendback: entry.sendback, data }), entry.endpoint);
    return true;
  }

  #answer(variant: AnnounceVariant, packet: Buffer, source: Endpoint): void {
    const delivery = decodeOnionDelivery(packet);
    const request = delivery && decodeAnnounceRequest(variant, delivery.payload);
    const plain = request && this.#sharedKeys.open(request.requester, request.nonce, request.sealed, this.#mayTry);
    const content = plain && decodeAnnounceRequestContent(plain);
    if (delivery === undefined || request === undefined || content === undefined) {
      this.#dropped += 1;
      return;
    }
    const outcome = this.#outcome(request.requester, content, source, delivery.sendback);
    const nodes = this.#deps.closestNodes(content.searchedKey, MAX_ANNOUNCED_NODES, { lan: source.isLan });
    const nonce = this.#deps.random.bytes(NONCE_SIZE);
    const key = this.#sharedKeys.get(request.requester);
    const sealed = seal(key, nonce, encodeAnnounceResponseContent(variant, { outcome, nodes }));
    const data = encodeAnnounceResponse(variant, { sendback: content.sendback, nonce, sealed });
    this.#deps.send(encodeOnionResponse(3, { sendback: delivery.sendback, data }), source);
  }

  readonly #mayTry = (isKnown: boolean): boolean =>
    (isKnown ? this.#requests : this.#newRequesters).take(this.#deps.clock.now());

  /** Stores the requester if its ping id is valid, and else looks up the key that it searches for. */
  #outcome(requester: PublicKey, request: AnnounceRequest, source: Endpoint, sendback: Buffer): AnnounceOutcome {
    const now = this.#deps.clock.now();
    const { dataKey } = request;
    let wanted = request.searchedKey;
    if (this.#pingIds.isValid(request.pingId, requester, source)) {
      wanted = requester;
      const isNew = !this.#store.get(requester, now)?.dataKey.equals(dataKey);
      const entry = { publicKey: requester, dataKey, endpoint: source, sendback: ownedCopy(sendback) };
      if (this.#store.add(entry, now) && isNew) this.#deps.onStored?.(requester);
    }
    const entry = this.#store.get(wanted, now);
    if (entry !== undefined && !entry.publicKey.equals(requester)) return { status: 'found', dataKey: entry.dataKey };
    // The requester's own entry with another data key is from before its restart: it must announce itself again.
    const status = entry?.dataKey.equals(dataKey) ? 'announced' : 'unknown';
    return { status, pingId: this.#pingIds.issue(requester, source) };
  }

  #passOn(packet: Buffer): void {
    const delivery = decodeOnionDelivery(packet);
    if (delivery === undefined || !this.#mayTry(true) || !this.deliver(delivery.payload)) this.#dropped += 1;
  }
}
