/**
 * A way through three nodes, none of which knows both ends (spec: "Onion"). The second and third hop see keys made for
 * this path alone. Requests through one path leave the onion at the same address, to which ping ids are bound.
 */
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import { seal, sharedKey } from '../crypto/box.js';
import { generateKeyPair, type PublicKey } from '../crypto/keys.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
import type { NodeInfo } from '../packet/node-info.js';
import { encodeOnionLayer, MAX_ONION_PAYLOAD_SIZE } from '../packet/onion.js';
import type { FirstHop } from './first-hop.js';

/** The first hop may be a TCP relay. */
export interface EntryNode extends NodeInfo {
  readonly transport?: 'tcp';
}

/** The three nodes; they may repeat while fewer are known. */
export type Hops = readonly [EntryNode, NodeInfo, NodeInfo];

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

  /** Whose address the destination sees. */
  get exit(): NodeInfo {
    return this.hops[2];
  }

  /** True when one node serves as more than one hop. */
  get isRepetitive(): boolean {
    return new Set(this.hops.map((hop) => hop.publicKey.hex)).size < this.hops.length;
  }

  /** @throws RangeError when the payload is longer than 1174 bytes */
  send(payload: Buffer, destination: Endpoint): void {
    if (payload.length > MAX_ONION_PAYLOAD_SIZE) throw new RangeError('OnionPath: payload too long');
    const nonce = this.#random.bytes(NONCE_SIZE);
    const atThird = encodeOnionLayer({ next: destination, inner: payload });
    const atSecond = layerBefore(this.#third, nonce, atThird);
    this.#first.send(nonce, layerBefore(this.#second, nonce, atSecond));
  }
}

function hide(node: NodeInfo, random: Random): HiddenHop {
  const ephemeral = generateKeyPair(random);
  const key = sharedKey(node.publicKey, ephemeral.secretKey);
  ephemeral.secretKey.wipe();
  return { endpoint: node.endpoint, ephemeralKey: ephemeral.publicKey, sharedKey: key };
}

/** What the hop before `hop` finds in its layer. */
function layerBefore(hop: HiddenHop, nonce: Buffer, layer: Buffer): Buffer {
  const inner = Buffer.concat([hop.ephemeralKey.bytes, seal(hop.sharedKey, nonce, layer)]);
  return encodeOnionLayer({ next: hop.endpoint, inner });
}
