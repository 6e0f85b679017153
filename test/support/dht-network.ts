/** Nodes of the DHT on a simulated network, each at an address of its own. */

import { Endpoint } from '../../src/base/endpoint.js';
import { silentLogger } from '../../src/base/logger.js';
import { generateKeyPair, type KeyPair } from '../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../src/tox/crypto/keys.js';
import { SharedKeyCache } from '../../src/tox/crypto/shared-key-cache.js';
import { Dht, type DhtOptions } from '../../src/tox/dht/dht.js';
import { DhtBox } from '../../src/tox/dht/rpc/dht-box.js';
import { type NodesHandlers, NodesService } from '../../src/tox/dht/rpc/nodes-service.js';
import type { DatagramHandler } from '../../src/tox/network/datagram-socket.js';
import { PacketRouter } from '../../src/tox/network/packet-router.js';
import { UdpKind } from '../../src/tox/packet/kind.js';
import type { NodeInfo } from '../../src/tox/packet/node-info.js';
import { ManualClock } from './manual-clock.js';
import { PairKeys } from './pair-keys.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedNetwork } from './simulated-network.js';

export interface DhtPeer extends NodeInfo {
  readonly dht: Dht;
  readonly router: PacketRouter;
}

export interface PeerPlace {
  readonly address?: string;
  readonly port?: number;
  /**
   * Behind a NAT that lets in only answers from where was sent to. One that is a cone uses one port for all destinations,
   * a symmetric one a new port for each, counting up.
   */
  readonly nat?: 'cone' | 'symmetric';
  /** A fresh one when left out. */
  readonly keyPair?: KeyPair;
  /** A liar: it behaves like other nodes, but it answers nodes requests with these nodes. */
  readonly names?: NodesHandlers['closestNodes'];
}

type Send = (packet: Buffer, to: Endpoint) => void;

export class DhtNetwork {
  readonly clock = new ManualClock();
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly #hasCheapKeys: boolean;
  #made = 0;

  /** @param options.hasCheapKeys spares the key agreements, most of the cost of many nodes: see PairKeys */
  constructor(seed: number, options: { readonly hasCheapKeys?: boolean } = {}) {
    this.#hasCheapKeys = options.hasCheapKeys ?? false;
    this.random = new SeededRandom(seed);
    this.network = new SimulatedNetwork(this.clock, this.random);
    this.network.faults.delay = 20;
    this.network.faults.jitter = 10;
  }

  /** A started node, at 20.0.x.y:33445 by default. */
  peer(options: Partial<DhtOptions> & PeerPlace = {}): DhtPeer {
    const { clock, random } = this;
    const { address, port = 33445, nat, names, keyPair = generateKeyPair(random), ...dhtOptions } = options;
    this.#made += 1;
    const endpoint = Endpoint.of(address ?? `20.0.${this.#made >> 8}.${this.#made & 0xff}`, port) as Endpoint;
    const router = new PacketRouter();
    const receive: DatagramHandler = (packet, source) => router.receive(packet, source);
    const send = nat === undefined ? this.#open(endpoint, receive) : this.#behindNat(nat, endpoint, receive);
    const sharedKeys = this.#hasCheapKeys ? new PairKeys(keyPair) : new SharedKeyCache(keyPair.secretKey);
    const dht = new Dht(
      { clock, random, send, log: silentLogger, keyPair, sharedKeys },
      { lanDiscovery: false, ipv6: endpoint.family === 6, ...dhtOptions },
    );
    const { publicKey: ownKey } = keyPair;
    const handlers = { closestNodes: names ?? (() => []), onRequest: () => {}, onResponse: () => {} };
    const box = new DhtBox({ clock, random, ownKey, sharedKeys });
    const liar = new NodesService({ clock, random, send, box, handlers });
    for (const [kind, handler] of dht.routes()) {
      router.route(kind, kind === UdpKind.NodesRequest && names !== undefined ? liar.handleRequest : handler);
    }
    dht.start();
    return { dht, router, publicKey: ownKey, endpoint };
  }

  #open(endpoint: Endpoint, receive: DatagramHandler): Send {
    const socket = this.network.socket(endpoint.address, endpoint.port, receive);
    return (packet, to) => socket.send(packet, to);
  }

  #behindNat(nat: 'cone' | 'symmetric', first: Endpoint, receive: DatagramHandler): Send {
    const opened = new Map<string, Send>();
    let cone: Send | undefined;
    let nextPort = first.port;
    return (packet, to) => {
      let send = opened.get(to.key);
      if (send === undefined) {
        const isOpen = (source: Endpoint): boolean => (nat === 'cone' ? opened.has(source.key) : source.equals(to));
        const filtered: DatagramHandler = (bytes, source) => {
          if (isOpen(source)) receive(bytes, source);
        };
        send = cone ?? this.#open(Endpoint.of(first.address, nextPort) as Endpoint, filtered);
        if (nat === 'cone') cone = send;
        nextPort += 1;
        opened.set(to.key, send);
      }
      send(packet, to);
    };
  }

  /** Nodes that bootstrap from the first one, all joined. */
  peers(count: number): DhtPeer[] {
    const peers = Array.from({ length: count }, () => this.peer());
    for (const peer of peers.slice(1)) peer.dht.bootstrap.addNode(peers[0] as DhtPeer);
    return peers;
  }
}

/** A node that answers nothing, at a black hole of the network. */
export function deadNode(net: DhtNetwork, publicKey: PublicKey, address: string): NodeInfo {
  net.network.blackHoles.add(address);
  return { publicKey, endpoint: Endpoint.of(address, 33445) as Endpoint };
}
