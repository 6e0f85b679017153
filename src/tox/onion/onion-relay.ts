/**
 * Our node as one of three hops (spec: "Onion"): opens its layer of a request and forwards the rest with a sendback; removes its
 * sendback from a response and sends that back. It stores nothing in between.
 */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { KeyPair } from '../crypto/key-pair.js';
import { SharedKeyCache } from '../crypto/shared-key-cache.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
import type { DatagramHandler } from '../network/datagram-socket.js';
import { UdpKind } from '../packet/kind.js';
import { IP_PORT_SIZE } from '../packet/node-info.js';
import {
  decodeOnionLayer,
  decodeOnionRequest,
  decodeOnionResponse,
  encodeForwardedRequest,
  encodeOnionDelivery,
  encodeOnionResponse,
  MAX_ONION_PACKET_SIZE,
  type OnionLevel,
  type SendbackLevel,
  sendbackSize,
} from '../packet/onion.js';
import { SendbackBox } from './sendback-box.js';

/** New paths a second. Each has keys of its own, which cost a key agreement of 60 µs, and is used for many packets. */
const NEW_PATHS_PER_SECOND = 1000;
/** Packets forwarded a second, 13 µs each. */
const PACKETS_PER_SECOND = 4000;
/** Nonce and layer of a client of our TCP relay; with our sendback instead of the address they fit into a datagram. */
const MAX_CLIENT_DATA_SIZE = MAX_ONION_PACKET_SIZE - 1 + IP_PORT_SIZE - sendbackSize(1);

export interface OnionRelayDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The DHT key pair. */
  readonly keyPair: KeyPair;
  readonly send: (packet: Buffer, destination: Endpoint) => void;
  /** Sends a response to a client of our own TCP relay. */
  readonly sendToClient?: (client: bigint, packet: Buffer) => void;
}

export class OnionRelay {
  readonly #deps: OnionRelayDeps;
  readonly #sharedKeys: SharedKeyCache;
  readonly #newPaths: TokenBucket;
  readonly #packets: TokenBucket;
  readonly #sendbacks: SendbackBox;
  #dropped = 0;

  constructor(deps: OnionRelayDeps) {
    this.#deps = deps;
    // Not the DHT's cache: the many keys of paths would replace those of nodes.
    this.#sharedKeys = new SharedKeyCache(deps.keyPair.secretKey);
    const now = deps.clock.now();
    this.#newPaths = new TokenBucket(NEW_PATHS_PER_SECOND, NEW_PATHS_PER_SECOND, now);
    this.#packets = new TokenBucket(PACKETS_PER_SECOND, PACKETS_PER_SECOND, now);
    this.#sendbacks = new SendbackBox(deps);
  }

  routes(): [number, DatagramHandler][] {
    return [
      [UdpKind.OnionRequest0, (packet, source) => this.#forward(0, packet, source)],
      [UdpKind.OnionRequest1, (packet, source) => this.#forward(1, packet, source)],
      [UdpKind.OnionRequest2, (packet, source) => this.#forward(2, packet, source)],
      [UdpKind.OnionResponse3, (packet) => this.#return(3, packet)],
      [UdpKind.OnionResponse2, (packet) => this.#return(2, packet)],
      [UdpKind.OnionResponse1, (packet) => this.#return(1, packet)],
    ];
  }

  /** The number of packets that were malformed, not for us, or must not be forwarded. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A client of our relay begins a path. @param data nonce (24) and the content of the first layer */
  forwardFromClient(data: Buffer, client: { readonly id: bigint; readonly endpoint: Endpoint }): void {
    const layer = decodeOnionLayer(0, data.subarray(NONCE_SIZE));
    const isTooLong = data.length > MAX_CLIENT_DATA_SIZE;
    const isAllowed = layer !== undefined && !isTooLong && client.endpoint.maySendTo(layer.next);
    if (!isAllowed || !this.#mayTry(true)) {
      this.#dropped += 1;
      return;
    }
    const sendback = this.#sendbacks.seal({ previous: { client: client.id }, inner: Buffer.alloc(0) });
    this.#deps.send(encodeForwardedRequest(0, data.subarray(0, NONCE_SIZE), layer.inner, sendback), layer.next);
  }

  #forward(level: OnionLevel, packet: Buffer, source: Endpoint): void {
    const request = decodeOnionRequest(level, packet);
    const plain = request && this.#sharedKeys.open(request.publicKey, request.nonce, request.sealedLayer, this.#mayTry);
    const layer = plain && decodeOnionLayer(level, plain);
    if (request === undefined || layer === undefined || !source.maySendTo(layer.next)) {
      this.#dropped += 1;
      return;
    }
    const { next, inner } = layer;
    const sendback = this.#sendbacks.seal({ previous: source, inner: request.sendback });
    const isLast = level === 2;
    this.#deps.send(
      isLast
        ? encodeOnionDelivery({ payload: inner, sendback })
        : encodeForwardedRequest(level, request.nonce, inner, sendback),
      next,
    );
  }

  /** Takes a packet from the rate limit; called before the key agreement of a new path. */
  readonly #mayTry = (isKnown: boolean): boolean =>
    (isKnown ? this.#packets : this.#newPaths).take(this.#deps.clock.now());

  #return(level: SendbackLevel, packet: Buffer): void {
    const response = decodeOnionResponse(level, packet);
    const content = response && this.#sendbacks.open(response.sendback);
    if (response === undefined || content === undefined || !this.#mayTry(true)) {
      this.#dropped += 1;
      return;
    }
    const { data } = response;
    const { previous, inner } = content;
    if ('client' in previous) {
      // Only the first hop has clients.
      if (level === 1) this.#deps.sendToClient?.(previous.client, data);
      return;
    }
    this.#deps.send(level === 1 ? data : encodeOnionResponse(level === 3 ? 2 : 1, { sendback: inner, data }), previous);
  }
}
