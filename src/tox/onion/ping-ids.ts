/**
 * Ping ids prove that a requester receives at the address that it uses (spec: "Onion announce"). They are computed, not stored: an
 * authentication code over the time, the requester's key and its address, which is that of the last hop.
 */
import { ByteWriter } from '../../base/bytes.js';
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import { authenticate } from '../crypto/box.js';
import { equalsInConstantTime } from '../crypto/key-pair.js';
import { PUBLIC_KEY_SIZE, type PublicKey } from '../crypto/keys.js';
import { encodeIpPort, IP_PORT_SIZE } from '../packet/node-info.js';

/** Specification, seconds: an id is valid in the window in which it was made and in the next one. */
const WINDOW = 300;
const HMAC_KEY_SIZE = 32;

export class PingIds {
  readonly #clock: Clock;
  readonly #key: Buffer;

  constructor(deps: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = deps.clock;
    this.#key = deps.random.bytes(HMAC_KEY_SIZE);
  }

  issue(requester: PublicKey, source: Endpoint): Buffer {
    return this.#of(this.#window(), requester, source);
  }

  isValid(pingId: Buffer, requester: PublicKey, source: Endpoint): boolean {
    const window = this.#window();
    return (
      equalsInConstantTime(pingId, this.#of(window, requester, source)) ||
      equalsInConstantTime(pingId, this.#of(window - 1, requester, source))
    );
  }

  #window(): number {
    return Math.floor(this.#clock.unixTime() / WINDOW);
  }

  #of(window: number, requester: PublicKey, source: Endpoint): Buffer {
    const data = new ByteWriter(8 + PUBLIC_KEY_SIZE + IP_PORT_SIZE)
      .u64(BigInt(window))
      .bytes(requester.bytes)
      .bytes(encodeIpPort(source))
      .finish();
    return authenticate(this.#key, data);
  }
}
