/**
 * DHT requests (spec: "DHT Request Packets"): sends ours, opens those for us, and forwards those for a node near to us. There is
 * one hop only: a sender that wants to reach a node gives the packet to nodes that know the address.
 */
import type { Endpoint } from '../../../base/endpoint.js';
import { pick, type Random } from '../../../base/random.js';
import type { PublicKey } from '../../crypto/keys.js';
import { decodeDhtRequest } from '../../packet/dht-request.js';
import type { DhtBox } from './dht-box.js';

/** @param sender the DHT key that sealed it */
export type DhtRequestHandler = (sender: PublicKey, data: Buffer) => void;

export interface DhtRequestsDeps {
  readonly ownKey: PublicKey;
  readonly random: Random;
  readonly box: DhtBox;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  /** Returns the address of a node of the close list. */
  readonly findEndpoint: (key: PublicKey) => Endpoint | undefined;
  /** Returns where to send packets for a node that we search for: itself, or the nodes that know its address. */
  readonly ways: (key: PublicKey) => readonly Endpoint[];
}

export class DhtRequests {
  readonly #deps: DhtRequestsDeps;
  readonly #handlers = new Map<number, DhtRequestHandler>();

  constructor(deps: DhtRequestsDeps) {
    this.#deps = deps;
  }

  /**
   * Sends to a node that we search for: directly if it answers, else through all nodes that know its address.
   * @param options.isSingle takes one of these nodes instead, at random
   * @returns false when there is no route
   * @throws RangeError when `data` is longer than 918 bytes
   */
  send(to: PublicKey, kind: number, data: Buffer, options: { readonly isSingle?: boolean } = {}): boolean {
    const { random, box } = this.#deps;
    const ways = this.#deps.ways(to);
    if (ways.length === 0) return false;
    const packet = box.sealRequest(to, { kind, data });
    for (const endpoint of options.isSingle ? [pick(random, ways)] : ways) this.#deps.send(packet, endpoint);
    return true;
  }

  /** Registers the handler of a kind. @throws RangeError when the kind has a handler already */
  on(kind: number, handler: DhtRequestHandler): void {
    if (this.#handlers.has(kind)) throw new RangeError(`DhtRequests: kind 0x${kind.toString(16)} twice`);
    this.#handlers.set(kind, handler);
  }

  readonly handle = (packet: Buffer, source: Endpoint): void => {
    const request = decodeDhtRequest(packet);
    if (request === undefined) return;
    if (!request.receiver.equals(this.#deps.ownKey)) {
      this.#forward(request.receiver, packet, source);
      return;
    }
    const plain = this.#deps.box.openRequest(request);
    if (plain !== undefined) this.#handlers.get(plain.kind)?.(request.sender, plain.data);
  };

  #forward(receiver: PublicKey, packet: Buffer, source: Endpoint): void {
    const endpoint = this.#deps.findEndpoint(receiver);
    // Two nodes that each take the other for the receiver would exchange this packet without end.
    if (endpoint !== undefined && !endpoint.equals(source)) this.#deps.send(packet, endpoint);
  }
}
