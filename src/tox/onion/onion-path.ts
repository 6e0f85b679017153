/**
 * A path through three nodes, none of which knows both ends (spec: "Onion"). The second and third hop see keys made for this
 * path alone. Requests through one path leave the onion at the same address, to which ping ids are bound.
 */
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import { seal, sharedKey } from '../crypto/box.js';
import { generateKeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
import type { NodeInfo } from '../packet/node-info.js';
import { encodeOnionLayer, encodeOnionRequest, MAX_ONION_PAYLOAD_SIZE } from '../packet/onion.js';

/** A first hop: a node, or a TCP relay. */
export interface EntryNode extends NodeInfo {
  readonly transport?: 'tcp';
}

/** Three nodes, which repeat while fewer are known. */
export type Hops = readonly [EntryNode, NodeInfo, NodeInfo];

/**
 * Sends a packet to the first hop.
 * @param nonce the nonce of all layers of this packet
 * @param layer what the first hop finds in its layer: the second hop's address, key and sealed layer
 */
export type FirstHop = (nonce: Buffer, layer: Buffer) => void;

interface HiddenHop {
  readonly endpoint: Endpoint;
  readonly ephemeralKey: PublicKey;
  readonly sharedKey: Buffer;
}

export class OnionPath {
  readonly hops: Hops;
  readonly #random: Random;
  readonly #first: FirstHop;
  readonly #second: HiddenHop;
  readonly #third: HiddenHop;

  constructor(deps: { readonly random: Random; readonly first: FirstHop }, hops: Hops) {
    this.hops = hops;
    this.#random = deps.random;
    this.#first = deps.first;
    this.#second = hide(hops[1], deps.random);
    this.#third = hide(hops[2], deps.random);
  }

  /** The node whose address the destination sees. */
  get exit(): NodeInfo {
    return this.hops[2];
  }

  /** True when one node serves as more than one hop. */
  get isRepetitive(): boolean {
    return new Set(this.hops.map((hop) => hop.publicKey.hex)).size < this.hops.length;
  }

  /** Sends a payload to a node. @throws RangeError when it is longer than 1174 bytes */
  send(payload: Buffer, destination: Endpoint): void {
    if (payload.length > MAX_ONION_PAYLOAD_SIZE) throw new RangeError('OnionPath: payload too long');
    const nonce = this.#random.bytes(NONCE_SIZE);
    const atThird = encodeOnionLayer({ next: destination, inner: payload });
    const atSecond = layerBefore(this.#third, nonce, atThird);
    this.#first(nonce, layerBefore(this.#second, nonce, atSecond));
  }
}

/** Returns a DHT node as the first hop. @param deps.sharedKey the key that our DHT key pair shares with the node */
export function udpFirstHop(
  deps: {
    readonly ownKey: PublicKey;
    readonly sharedKey: Buffer;
    readonly send: (packet: Buffer, destination: Endpoint) => void;
  },
  { endpoint }: NodeInfo,
): FirstHop {
  return (nonce, layer) => {
    const sealedLayer = seal(deps.sharedKey, nonce, layer);
    deps.send(
      encodeOnionRequest(0, { nonce, publicKey: deps.ownKey, sealedLayer, sendback: Buffer.alloc(0) }),
      endpoint,
    );
  };
}

function hide(node: NodeInfo, random: Random): HiddenHop {
  const ephemeral = generateKeyPair(random);
  const key = sharedKey(node.publicKey, ephemeral.secretKey);
  ephemeral.secretKey.wipe();
  return { endpoint: node.endpoint, ephemeralKey: ephemeral.publicKey, sharedKey: key };
}

/** Returns the layer of the hop before `hop`. */
function layerBefore(hop: HiddenHop, nonce: Buffer, layer: Buffer): Buffer {
  const inner = Buffer.concat([hop.ephemeralKey.bytes, seal(hop.sharedKey, nonce, layer)]);
  return encodeOnionLayer({ next: hop.endpoint, inner });
}
