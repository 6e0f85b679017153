/** Peers with net_crypto only, on the simulated network, which record their events. */
import { Endpoint } from '../../../src/base/endpoint.js';
import { silentLogger } from '../../../src/base/logger.js';
import { generateKeyPair, type KeyPair } from '../../../src/tox/crypto/key-pair.js';
import { SharedKeyCache } from '../../../src/tox/crypto/shared-key-cache.js';
import type { CryptoConnection } from '../../../src/tox/net-crypto/crypto-connection.js';
import { type ConnectionOffer, NetCrypto } from '../../../src/tox/net-crypto/net-crypto.js';
import type { Route } from '../../../src/tox/net-crypto/path/route.js';
import type { ConnectionHandlers } from '../../../src/tox/net-crypto/stream/connection-host.js';
import { Features } from '../../../src/tox/net-crypto/stream/features.js';
import type { DatagramSocket } from '../../../src/tox/network/datagram-socket.js';
import { PacketRouter } from '../../../src/tox/network/packet-router.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { SimulatedNetwork } from '../../support/simulated-network.js';

export class World {
  readonly clock = new ManualClock();
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  /** Whether new peers have UDP. */
  hasUdp = true;

  constructor(seed = 1) {
    this.random = new SeededRandom(seed);
    this.network = new SimulatedNetwork(this.clock, this.random);
  }

  peer(address: string, identity?: KeyPair): CryptoPeer {
    return new CryptoPeer(this, address, identity ?? generateKeyPair(this.random));
  }
}

/** The events of one connection. */
export class Notes implements ConnectionHandlers {
  readonly lossless: Buffer[] = [];
  readonly lossy: Buffer[] = [];
  readonly events: string[] = [];
  onPacket: ((data: Buffer) => void) | undefined;
  onRoom: (() => void) | undefined;

  onEstablished(): void {
    this.events.push('established');
  }

  onLossless(data: Buffer): void {
    this.lossless.push(data);
    this.onPacket?.(data);
  }

  onLossy(data: Buffer): void {
    this.lossy.push(data);
  }

  onDrain(): void {
    this.events.push('drain');
    this.onRoom?.();
  }

  onClosed(reason: string): void {
    this.events.push(`closed: ${reason}`);
  }

  onRouteChange(_route: Route | undefined): void {}

  onDirectChange(): void {}
  onKeys(): void {}
}

export class CryptoPeer {
  readonly identity: KeyPair;
  readonly dht: KeyPair;
  readonly netCrypto: NetCrypto;
  readonly router = new PacketRouter();
  readonly offers: ConnectionOffer[] = [];
  accepts = true;
  /** Whether the system sends nothing. */
  refuses = false;
  /** The address that the DHT finds. */
  isUdpBlocked = false;
  /** Fragments made by the system. */
  fragments = 0;
  /** MTU of the interface, bytes of IP. */
  interfaceMtu: number | undefined;
  /** What the link does to a packet; nothing by default. */
  shape: (packet: Buffer, forward: () => void) => void = (_packet, forward) => forward();
  /** Connections that this peer accepted, the latest last, with their events. */
  readonly accepted: { readonly connection: CryptoConnection; readonly notes: Notes }[] = [];
  /** Called inside the offer, after accepting. */
  onAccepted: ((connection: CryptoConnection, notes: Notes) => void) | undefined;
  readonly #world: World;
  #socket: DatagramSocket;
  endpoint: Endpoint;

  constructor(world: World, address: string, identity: KeyPair) {
    this.#world = world;
    this.identity = identity;
    this.dht = generateKeyPair(world.random);
    this.endpoint = Endpoint.of(address, 33445) as Endpoint;
    this.#socket = this.#open();
    this.netCrypto = new NetCrypto(
      {
        clock: world.clock,
        random: world.random,
        log: silentLogger,
        dhtKeyPair: this.dht,
        dhtSharedKeys: new SharedKeyCache(this.dht.secretKey),
        identity,
        hasUdp: world.hasUdp,
        isUdpBlocked: () => this.isUdpBlocked,
        fragmentsMade: () => this.fragments,
        mtuTowards: async () => this.interfaceMtu,
        send: (packet, to, onRefused) => {
          const copy = Buffer.from(packet);
          if (!this.refuses) this.shape(copy, () => this.#socket.send(copy, to));
          else if (onRefused !== undefined) world.clock.soon(onRefused);
        },
      },
      { onOffer: (offer) => this.#onOffer(offer) },
    );
    for (const [kind, handler] of this.netCrypto.routes()) this.router.route(kind, handler);
  }

  #open(): DatagramSocket {
    return this.#world.network.socket(this.endpoint.address, this.endpoint.port, (packet, source) =>
      this.router.receive(packet, source),
    );
  }

  #onOffer(offer: ConnectionOffer): void {
    this.offers.push(offer);
    if (!this.accepts) return;
    const notes = new Notes();
    const connection = offer.accept(notes);
    this.accepted.push({ connection, notes });
    this.onAccepted?.(connection, notes);
  }

  /** Continues from another address, as behind a NAT that dropped its mapping. */
  move(address: string, port = 33445): void {
    this.#socket.close();
    this.endpoint = Endpoint.of(address, port) as Endpoint;
    this.#socket = this.#open();
  }

  /** Disappears without sending kill packets. */
  crash(): void {
    this.#socket.close();
  }

  get keys(): { realKey: KeyPair['publicKey']; dhtKey: KeyPair['publicKey'] } {
    return { realKey: this.identity.publicKey, dhtKey: this.dht.publicKey };
  }

  connect(to: CryptoPeer): { readonly connection: CryptoConnection; readonly notes: Notes } {
    const notes = new Notes();
    const connection = this.netCrypto.connect(to.keys, notes);
    connection.setEndpoint(to.endpoint);
    return { connection, notes };
  }
}

/** Two peers of which the first has connected to the second. */
export function connectedPair(seed = 1): {
  readonly world: World;
  readonly alice: CryptoPeer;
  readonly bob: CryptoPeer;
  readonly near: { readonly connection: CryptoConnection; readonly notes: Notes };
  readonly far: { readonly connection: CryptoConnection; readonly notes: Notes };
} {
  const world = new World(seed);
  const alice = world.peer('203.0.113.1');
  const bob = world.peer('203.0.113.2');
  const near = alice.connect(bob);
  world.clock.advance(100);
  const far = bob.accepted[0];
  if (far === undefined) throw new Error('they did not connect');
  return { world, alice, bob, near, far };
}

/** The same, but neither peer tells its features to the other, as with c-toxcore. */
export function strangePair(seed: number): ReturnType<typeof connectedPair> {
  const world = new World(seed);
  const [alice, bob] = [world.peer('203.0.113.1'), world.peer('203.0.113.2')];
  bob.onAccepted = (connection) => void connection.sendLossless(numbered(0));
  const { next } = Features.prototype;
  Features.prototype.next = function silence() {
    this.next = () => undefined;
    return undefined;
  };
  const near = alice.connect(bob);
  near.connection.sendLossless(numbered(0));
  world.clock.advance(2000);
  Features.prototype.next = next;
  const [far] = bob.accepted;
  if (far === undefined) throw new Error('they did not connect');
  return { world, alice, bob, near, far };
}

/** A lossless packet with a number in it. */
export function numbered(number: number, size = 64): Buffer {
  const data = Buffer.alloc(size, number & 0xff);
  data[0] = 162;
  data.writeUInt32BE(number, 1);
  return data;
}

/** Sends numbered packets as fast as they are taken. @param size of each, bytes; 'full' for as much as the path takes */
export function sendAll(connection: CryptoConnection, notes: Notes, count: number, size: number | 'full' = 64): void {
  let sent = 0;
  const more = (): void => {
    const bytes = (): number => (size === 'full' ? connection.packetSize : size);
    while (sent < count && connection.sendLossless(numbered(sent, bytes()))) sent += 1;
  };
  notes.onRoom = more;
  more();
}

/** Throws as soon as numbered packets arrive in another order. @returns the bytes that have arrived so far */
export function receiveInOrder(notes: Notes): () => number {
  let [awaited, received] = [0, 0];
  notes.onPacket = (data) => {
    notes.lossless.length = 0;
    if (data.readUInt32BE(1) !== awaited) throw new Error(`${data.readUInt32BE(1)} came, ${awaited} was awaited`);
    awaited += 1;
    received += data.length;
  };
  return () => received;
}

/** Whether the packets are 0, 1, … count - 1, intact. */
export function isInOrder(packets: readonly Buffer[], count: number, size = 64): boolean {
  return packets.length === count && packets.every((data, at) => data.equals(numbered(at, size)));
}
