/** Finds nodes in the same local network without any bootstrap node (spec: "LAN discovery"). */
import type { Clock, Timer } from '../../../base/clock.js';
import { Endpoint } from '../../../base/endpoint.js';
import type { PublicKey } from '../../crypto/keys.js';
import { decodeLanDiscovery, encodeLanDiscovery } from '../../packet/dht.js';
import type { NodeInfo } from '../../packet/node-info.js';

// Specification.
const INTERVAL_MS = 10_000;
/** Every round sends to this port, */
const FIRST_PORT = 33445;
/** and on ten of the others that c-toxcore may be bound to, up to this one. */
const LAST_PORT = 33545;
const PORTS_IN_A_ROUND = 10;
/**
 * A program bound to another port can listen for discovery packets on one of these. They come right after FIRST_PORT in the
 * first round, and a c-toxcore takes them last, since it tries its ports from FIRST_PORT upwards.
 */
export const LISTENING_PORTS = { first: LAST_PORT - PORTS_IN_A_ROUND + 1, last: LAST_PORT } as const;
// Machines that run containers have hundreds of interfaces.
const MAX_TARGETS = 32;

export interface LanDiscoveryDeps {
  readonly ownKey: PublicKey;
  readonly clock: Clock;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  /** The addresses of this machine now; a link-local IPv6 address has its scope. */
  readonly interfaces: () => readonly { readonly address: string; readonly broadcast?: string }[];
  /** A discovery packet of a node in our network has arrived. */
  readonly onNode: (node: NodeInfo) => void;
}

export class LanDiscovery {
  readonly #deps: LanDiscoveryDeps;
  readonly #ipv6: boolean;
  #timer: Timer | undefined;
  #nextPort: number = LISTENING_PORTS.first;

  constructor(deps: LanDiscoveryDeps, options: { readonly ipv6: boolean }) {
    this.#deps = deps;
    this.#ipv6 = options.ipv6;
  }

  /** Sends at once, and then every 10 s. */
  start(): void {
    this.#timer ??= this.#deps.clock.every(INTERVAL_MS, () => this.#call());
    this.#call();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly handle = (packet: Buffer, source: Endpoint): void => {
    if (!source.isLan) return;
    const publicKey = decodeLanDiscovery(packet);
    if (publicKey !== undefined && !publicKey.equals(this.#deps.ownKey))
      this.#deps.onNode({ publicKey, endpoint: source });
  };

  #call(): void {
    const packet = encodeLanDiscovery(this.#deps.ownKey);
    const addresses = this.#addresses();
    for (const port of this.#ports()) {
      for (const address of addresses) {
        const endpoint = Endpoint.of(address, port);
        if (endpoint !== undefined) this.#deps.send(packet, endpoint);
      }
    }
  }

  #ports(): number[] {
    const ports = [FIRST_PORT];
    while (ports.length <= PORTS_IN_A_ROUND) {
      ports.push(this.#nextPort);
      this.#nextPort = this.#nextPort < LAST_PORT ? this.#nextPort + 1 : FIRST_PORT + 1;
    }
    return ports;
  }

  /** This machine, the broadcast address of every network, and for IPv6 the group of all nodes on every link. */
  #addresses(): readonly string[] {
    const addresses = new Set(['127.0.0.1', '255.255.255.255']);
    if (this.#ipv6) addresses.add('ff02::1');
    for (const { address, broadcast } of this.#deps.interfaces()) {
      if (addresses.size >= MAX_TARGETS) break;
      if (broadcast !== undefined) addresses.add(broadcast);
      const scope = address.indexOf('%');
      if (this.#ipv6 && scope >= 0) addresses.add(`ff02::1${address.slice(scope)}`);
    }
    return [...addresses];
  }
}
