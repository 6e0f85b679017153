/** Nodes and clients of the onion on a simulated network, without a DHT: every node knows all the others. */
import { Endpoint } from '../../../src/base/endpoint.js';
import { silentLogger } from '../../../src/base/logger.js';
import { compareDistance } from '../../../src/tox/crypto/distance.js';
import { generateKeyPair, type KeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import type { DatagramSocket } from '../../../src/tox/network/datagram-socket.js';
import { PacketRouter } from '../../../src/tox/network/packet-router.js';
import { AnnounceServer } from '../../../src/tox/onion/announce-server.js';
import { OnionClient } from '../../../src/tox/onion/onion-client.js';
import { OnionRelay } from '../../../src/tox/onion/onion-relay.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { SimulatedNetwork } from '../../support/simulated-network.js';

export interface TestNode extends NodeInfo {
  readonly keyPair: KeyPair;
  readonly relay: OnionRelay;
  readonly server: AnnounceServer;
  readonly router: PacketRouter;
}

export interface Received {
  readonly sender: PublicKey;
  readonly data: Buffer;
}

export interface TestClient {
  readonly client: OnionClient;
  readonly identity: KeyPair;
  readonly endpoint: Endpoint;
  readonly received: Received[];
  readonly changes: boolean[];
  /** The nodes that the client's DHT knows; empty at first. */
  readonly known: NodeInfo[];
  /** Like a bootstrap: the node serves for paths from now on. */
  bootstrap(node: NodeInfo): void;
}

export class OnionNetwork {
  readonly clock = new ManualClock();
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly nodes: TestNode[] = [];
  readonly #sockets = new Map<string, DatagramSocket>();
  #clients = 0;

  constructor(nodes: number, seed = 1) {
    this.random = new SeededRandom(seed);
    this.network = new SimulatedNetwork(this.clock, this.random);
    for (let index = 0; index < nodes; index += 1) this.addNode();
  }

  addNode(): TestNode {
    const endpoint = Endpoint.of(`203.0.113.${this.nodes.length + 1}`, 33_445) as Endpoint;
    const node = this.#run(endpoint, generateKeyPair(this.random));
    this.nodes.push(node);
    return node;
  }

  /** The node ends, and runs again with its key and its address, and without its memory. */
  restart(index: number): void {
    const { endpoint, keyPair } = this.nodes[index] as TestNode;
    this.#sockets.get(endpoint.key)?.close();
    this.nodes[index] = this.#run(endpoint, keyPair);
  }

  #run(endpoint: Endpoint, keyPair: KeyPair): TestNode {
    const router = new PacketRouter();
    const socket = this.network.socket(endpoint.address, endpoint.port, (packet, source) =>
      router.receive(packet, source),
    );
    this.#sockets.set(endpoint.key, socket);
    const deps = { clock: this.clock, random: this.random, keyPair, send: socket.send };
    const relay = new OnionRelay(deps);
    const server = new AnnounceServer({ ...deps, closestNodes: (target, count) => this.closest(target, count) });
    for (const [kind, handler] of [...relay.routes(), ...server.routes()]) router.route(kind, handler);
    return { publicKey: keyPair.publicKey, endpoint, keyPair, relay, server, router };
  }

  closest(target: PublicKey, count: number): NodeInfo[] {
    return [...this.nodes]
      .sort((a, b) => compareDistance(target, a.publicKey, b.publicKey))
      .slice(0, count)
      .map(({ publicKey, endpoint }) => ({ publicKey, endpoint }));
  }

  /** How many nodes store the client's announcement. */
  storing({ identity }: TestClient): number {
    return this.nodes.filter(({ server }) => server.dataKeyOf(identity.publicKey) !== undefined).length;
  }

  addClient(identity: KeyPair = generateKeyPair(this.random)): TestClient {
    this.#clients += 1;
    const endpoint = Endpoint.of(`198.51.100.${this.#clients}`, 40_000) as Endpoint;
    const router = new PacketRouter();
    const socket = this.network.socket(endpoint.address, endpoint.port, (packet, source) =>
      router.receive(packet, source),
    );
    const received: Received[] = [];
    const changes: boolean[] = [];
    const known: NodeInfo[] = [];
    const dhtKeyPair = generateKeyPair(this.random);
    const client = new OnionClient(
      {
        clock: this.clock,
        random: this.random,
        log: silentLogger,
        send: socket.send,
        dht: { known: { near: () => known, closest: () => [] } },
        // These clients store no announcements.
        ownStore: { dataKeyOf: () => undefined, deliver: () => false },
      },
      {
        onData: (sender, data) => received.push({ sender, data }),
        onAnnouncedChange: (isAnnounced) => changes.push(isAnnounced),
      },
      { dhtKeyPair, identity },
    );
    for (const [kind, handler] of client.routes()) router.route(kind, handler);
    const bootstrap = (node: NodeInfo): void => {
      known.push(node);
      client.noteNode(node);
    };
    return { client, identity, endpoint, received, changes, known, bootstrap };
  }
}
