/** The packet sizes of the routes of one connection; only UDP routes have one, since a relay's stream takes any packet. */
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import { MAX_CRYPTO_DATA_SIZE, MAX_CRYPTO_PACKET_SIZE, SAFE_CRYPTO_DATA_SIZE } from '../packet/net-crypto.js';
import { PacketSize, type PacketSizeDeps } from './packet-size.js';
import type { Route } from './route.js';

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;
const CRYPTO_OVERHEAD = MAX_CRYPTO_PACKET_SIZE - MAX_CRYPTO_DATA_SIZE;

export interface PacketSizesDeps extends Pick<PacketSizeDeps, 'fragmentsMade'> {
  readonly log: Pick<Logger, 'debug'>;
  /** Returns the MTU of the interface towards a destination, bytes of IP; undefined if unknown. Never rejects. */
  mtuTowards(destination: Endpoint): Promise<number | undefined>;
}

export class PacketSizes {
  readonly #deps: PacketSizesDeps;
  readonly #sizes = new WeakMap<Route, PacketSize>();
  #route: Route | undefined;
  #chosen: PacketSize | undefined;

  constructor(deps: PacketSizesDeps) {
    this.#deps = deps;
  }

  /** Packets take this route now. @param now ms */
  choose(route: Route | undefined, now: number): void {
    this.#route = route;
    this.#chosen = undefined;
    if (route === undefined || route.kind === 'relay') return;
    this.#chosen = this.#sizes.get(route);
    this.#chosen?.resume(now);
    this.#chosen ??= this.#begin(route, now);
  }

  #begin(route: Route, now: number): PacketSize {
    const { endpoint } = route;
    const size = new PacketSize(
      {
        fragmentsMade: () => this.#deps.fragmentsMade(),
        log: (text) => this.#deps.log.debug(`the path to ${endpoint} ${text}`),
      },
      now,
    );
    this.#sizes.set(route, size);
    if (endpoint === undefined) return size;
    const headers = (endpoint.family === 4 ? IPV4_HEADER : IPV6_HEADER) + UDP_HEADER + CRYPTO_OVERHEAD;
    void this.#deps.mtuTowards(endpoint).then((mtu) => {
      if (mtu !== undefined) size.limit(mtu - headers);
    });
    return size;
  }

  /** The packet size of the route in use, if it is over UDP. */
  get chosen(): PacketSize | undefined {
    return this.#chosen;
  }

  /** Largest size of a packet, bytes of data. */
  get size(): number {
    if (this.#chosen !== undefined) return this.#chosen.size;
    return this.#route === undefined ? SAFE_CRYPTO_DATA_SIZE : MAX_CRYPTO_DATA_SIZE;
  }

  /** Whether data is known not to pass undivided. */
  isTooLarge(data: Buffer): boolean {
    return this.#chosen !== undefined && data.length > this.#chosen.maxWhole;
  }
}
