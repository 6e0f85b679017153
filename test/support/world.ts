/** Whole Tox stacks on the simulated internet, in one process, repeatable from a seed. */
import { type Logger, silentLogger } from '../../src/base/logger.js';
import type { KeyPair } from '../../src/tox/crypto/key-pair.js';
import type { Friend } from '../../src/tox/messenger.js';
import type { DatagramHandler, DatagramSocket } from '../../src/tox/network/datagram-socket.js';
import { newSavedata, type Savedata } from '../../src/tox/savedata.js';
import { Tox } from '../../src/tox/tox.js';
import { FreezableClock } from './freezable-clock.js';
import { ManualClock } from './manual-clock.js';
import { type Mapping, openBehindNat } from './mapping-nat.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedNat } from './simulated-nat.js';
import { SimulatedNetwork } from './simulated-network.js';
import { SimulatedStreams } from './simulated-streams.js';

export const PORT = 33445;

export interface PeerOptions {
  /** A literal address; the next free public IPv4 address when left out. */
  readonly address?: string;
  readonly port?: number;
  /** Another run of an identity that exists. */
  readonly savedata?: Savedata;
  /** False: TCP relays alone. */
  readonly udp?: boolean;
  /** Being a TCP relay on this port. */
  readonly relayPort?: number;
  /** A mere node serves others. */
  readonly role?: 'peer' | 'node';
  /** The DHT key of an earlier run of a node. */
  readonly dhtKeys?: KeyPair;
  /** Behind a NAT that gives out ports so. */
  readonly nat?: Mapping;
  /** Behind a NAT of the kind 'cone' whose address can change: `Peer.nat`. */
  readonly isBehindMovingNat?: boolean;
  readonly log?: Logger;
  /** An IPv6 address besides one of IPv4. */
  readonly secondAddress?: string;
}

/** What every host behind a NAT takes for its address. */
const PRIVATE_ADDRESS = '192.168.1.2';

export class Peer {
  readonly tox: Tox;
  readonly port: number;
  readonly savedata: Savedata;
  /** Stops and resumes it as if it were a process; datagrams wait meanwhile. */
  readonly clock: FreezableClock;
  readonly #address: string;
  readonly #nat: SimulatedNat | undefined;

  constructor(
    tox: Tox,
    clock: FreezableClock,
    place: { readonly address: string; readonly nat?: SimulatedNat | undefined; readonly port: number },
    savedata: Savedata,
  ) {
    this.tox = tox;
    this.clock = clock;
    this.#address = place.address;
    this.#nat = place.nat;
    this.port = place.port;
    this.savedata = savedata;
  }

  /** As the world sees it. */
  get address(): string {
    return this.#nat?.address ?? this.#address;
  }

  get nat(): SimulatedNat {
    if (this.#nat === undefined) throw new Error('Peer: not behind a NAT');
    return this.#nat;
  }

  /** Enters the network through another peer. */
  join(node: Peer): this {
    this.tox.bootstrap({ host: node.address, port: node.port, publicKey: node.tox.dhtPublicKey });
    return this;
  }
}

export class World {
  readonly clock = new ManualClock();
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  /** TCP between the same addresses. */
  readonly streams: SimulatedStreams;
  #hosts = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.network = new SimulatedNetwork(this.clock, new SeededRandom(seed + 1));
    this.streams = new SimulatedStreams(this.clock, new SeededRandom(seed + 2));
  }

  /** A public IPv4 address that no host has yet. */
  newAddress(): string {
    this.#hosts += 1;
    return `198.51.${this.#hosts >> 8}.${this.#hosts & 0xff}`;
  }

  async peer(options: PeerOptions = {}): Promise<Peer> {
    const address = options.address ?? this.newAddress();
    const nat = options.isBehindMovingNat ? new SimulatedNat(this.network, address) : undefined;
    const port = options.port ?? PORT;
    const savedata = options.savedata ?? newSavedata(this.random);
    const random = new SeededRandom(this.random.uint32());
    const clock = new FreezableClock(this.clock);
    const tox = new Tox(
      {
        clock,
        random,
        log: options.log ?? silentLogger,
        openSocket: async (onDatagram) =>
          this.#openSocket(
            { address, port, mapping: options.nat, nat, secondAddress: options.secondAddress },
            (packet, source) => clock.whenThawed(() => onDatagram(packet, source)),
          ),
        interfaces: () => [
          { address: nat !== undefined || options.nat !== undefined ? PRIVATE_ADDRESS : address },
          ...(options.secondAddress === undefined ? [] : [{ address: options.secondAddress }]),
        ],
        dial: this.streams.dialer(address),
        listen: async (accept, relayPort) => this.streams.listen(address, relayPort, accept),
      },
      {
        savedata,
        ports: { first: port, last: port },
        ipv6: options.secondAddress !== undefined || address.includes(':'),
        lanDiscovery: false,
        udp: options.udp ?? true,
        relayPort: options.relayPort ?? 0,
        role: options.role ?? 'peer',
        ...(options.dhtKeys && { dhtKeys: options.dhtKeys }),
      },
    );
    await tox.start();
    return new Peer(tox, clock, { address, nat, port }, savedata);
  }

  #openSocket(
    place: {
      readonly address: string;
      readonly port: number;
      readonly mapping: Mapping | undefined;
      readonly nat: SimulatedNat | undefined;
      readonly secondAddress: string | undefined;
    },
    onDatagram: DatagramHandler,
  ): DatagramSocket {
    const { address, port, mapping, nat } = place;
    if (nat !== undefined) return nat.socket(port, onDatagram);
    if (mapping !== undefined) return openBehindNat(this, { address, port, mapping }, onDatagram);
    const socket = this.network.socket(address, port, onDatagram);
    return place.secondAddress === undefined
      ? socket
      : both(socket, this.network.socket(place.secondAddress, port, onDatagram));
  }

  /** Peers that all enter through the first. */
  async peers(count: number): Promise<Peer[]> {
    const peers: Peer[] = [];
    for (let index = 0; index < count; index += 1) peers.push(await this.peer());
    for (const peer of peers.slice(1)) peer.join(peers[0] as Peer);
    await this.settle();
    return peers;
  }

  /** Lets promises that wait for nothing but each other run; simulated time stands still. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Runs until the condition holds; ms that it took, or undefined when `limit` ms passed first. */
  async until(condition: () => boolean, limit: number): Promise<number | undefined> {
    await this.settle();
    const start = this.clock.now();
    return this.clock.runUntil(condition, limit) ? this.clock.now() - start : undefined;
  }
}

/** A server that accepts everybody, and remembers its friends and what they sent. */
export function acceptAll(server: Peer): { friends: Friend[]; received: Buffer[] } {
  const friends: Friend[] = [];
  const received: Buffer[] = [];
  server.tox.onFriendRequest((request) => {
    const friend = request.accept();
    if (friends.includes(friend)) return;
    friends.push(friend);
    friend.onLossless((packet) => received.push(packet));
  });
  return { friends, received };
}

function both(ipv4: DatagramSocket, ipv6: DatagramSocket): DatagramSocket {
  return {
    localPort: ipv4.localPort,
    hasIpv6: true,
    fragmentsMade: () => 0,
    mtuTowards: async () => undefined,
    send: (packet, destination) => (destination.family === 4 ? ipv4 : ipv6).send(packet, destination),
    close: () => {
      ipv4.close();
      ipv6.close();
    },
  };
}
