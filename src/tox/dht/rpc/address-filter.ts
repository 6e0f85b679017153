/** Which nodes may be asked: none at an address that belongs to no single host, over IPv6 where we have none, or with our own key. */
import type { Endpoint } from '../../../base/endpoint.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NodeInfo } from '../../packet/node-info.js';

export class AddressFilter {
  readonly #ownKey: PublicKey;
  readonly #ipv6: boolean;

  constructor({ ownKey, ipv6 }: { readonly ownKey: PublicKey; readonly ipv6: boolean }) {
    this.#ownKey = ownKey;
    this.#ipv6 = ipv6;
  }

  /** Whether it makes sense to ask the node. */
  readonly includes = ({ publicKey, endpoint }: NodeInfo): boolean =>
    !publicKey.equals(this.#ownKey) && endpoint.isUnicast && this.carries(endpoint);

  /** Whether our socket takes packets for there; calls on a whole network are among them. */
  carries(endpoint: Endpoint): boolean {
    return endpoint.family === 4 || this.#ipv6;
  }
}
