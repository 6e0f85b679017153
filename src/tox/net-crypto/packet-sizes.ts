/** The packet sizes of the routes of one connection; only routes over UDP have one, a relay's stream takes any packet. */
import { MAX_CRYPTO_DATA_SIZE, SAFE_CRYPTO_DATA_SIZE } from '../packet/net-crypto.js';
import { PacketSize, type PacketSizeDeps } from './packet-size.js';
import type { Route } from './route.js';

export class PacketSizes {
  readonly #deps: PacketSizeDeps;
  readonly #sizes = new WeakMap<Route, PacketSize>();
  #route: Route | undefined;
  #chosen: PacketSize | undefined;

  constructor(deps: PacketSizeDeps) {
    this.#deps = deps;
  }

  /** Packets go this way now. @param now ms */
  choose(route: Route | undefined, now: number): void {
    this.#route = route;
    this.#chosen = undefined;
    if (route === undefined || route.kind === 'relay') return;
    this.#chosen = this.#sizes.get(route);
    this.#chosen?.resume(now);
    this.#chosen ??= new PacketSize(this.#deps, now);
    this.#sizes.set(route, this.#chosen);
  }

  /** That of the route in use, if it is over UDP. */
  get chosen(): PacketSize | undefined {
    return this.#chosen;
  }

  /** Bytes of data that a packet should have at the most. */
  get size(): number {
    if (this.#chosen !== undefined) return this.#chosen.size;
    return this.#route === undefined ? SAFE_CRYPTO_DATA_SIZE : MAX_CRYPTO_DATA_SIZE;
  }

  /** Whether data is known not to pass in one piece. */
  isTooLarge(data: Buffer): boolean {
    return this.#chosen !== undefined && data.length > this.#chosen.mostWhole;
  }
}
