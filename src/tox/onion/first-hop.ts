/** How an onion packet gets to the first of its three hops: by UDP here; a TCP relay can be one as well. */
import type { Endpoint } from '../../base/endpoint.js';
import { seal } from '../crypto/box.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import { encodeOnionRequest } from '../packet/onion.js';

export interface FirstHop {
  /**
   * Sends what the first hop shall find in its layer: the second hop's address, key and sealed layer.
   * @param nonce that of all layers of this packet
   */
  send(nonce: Buffer, layer: Buffer): void;
}

/** A TCP relay as the first hop: our connection to it stands for the layer, which goes as it is. */
export class RelayFirstHop implements FirstHop {
  readonly #send: (data: Buffer) => void;

  constructor(deps: { readonly send: (data: Buffer) => void }) {
    this.#send = deps.send;
  }

  send(nonce: Buffer, layer: Buffer): void {
    this.#send(Buffer.concat([nonce, layer]));
  }
}

/** A DHT node as the first hop: the layer is sealed for it with our DHT key. */
export class UdpFirstHop implements FirstHop {
  readonly #ownKey: PublicKey;
  readonly #sharedKey: Buffer;
  readonly #endpoint: Endpoint;
  readonly #send: (packet: Buffer, destination: Endpoint) => void;

  /** @param sharedKey that of our DHT key pair and the node */
  constructor(
    deps: {
      readonly ownKey: PublicKey;
      readonly sharedKey: Buffer;
      readonly send: (packet: Buffer, destination: Endpoint) => void;
    },
    node: NodeInfo,
  ) {
    this.#ownKey = deps.ownKey;
    this.#sharedKey = deps.sharedKey;
    this.#send = deps.send;
    this.#endpoint = node.endpoint;
  }

  send(nonce: Buffer, layer: Buffer): void {
    const sealedLayer = seal(this.#sharedKey, nonce, layer);
    const request = { nonce, publicKey: this.#ownKey, sealedLayer, sendback: Buffer.alloc(0) };
    this.#send(encodeOnionRequest(0, request), this.#endpoint);
  }
}
