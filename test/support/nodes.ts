/** Keys and nodes whose place in the network is plain to see. */
import { Endpoint } from '../../src/base/endpoint.js';
import { PublicKey } from '../../src/tox/crypto/keys.js';
import type { NodeInfo } from '../../src/tox/packet/node-info.js';

/** A key of these hex digits, then zeros. */
export function keyOf(hex: string): PublicKey {
  return PublicKey.parse(hex.padEnd(64, '0')) as PublicKey;
}

/** An endpoint from a literal address. */
export function at(address: string, port = 33445): Endpoint {
  const endpoint = Endpoint.of(address, port);
  if (endpoint === undefined) throw new RangeError(`no address: ${address}`);
  return endpoint;
}

export function node(hex: string, address: string, port = 33445): NodeInfo {
  return { publicKey: keyOf(hex), endpoint: at(address, port) };
}

/** How nodes read in a test: `0a@192.0.2.1:33445`, with the first two digits of the key. */
export function named({ publicKey, endpoint }: NodeInfo): string {
  return `${publicKey.hex.slice(0, 2).toLowerCase()}@${endpoint.key}`;
}
