/**
 * The layers of one identity, built in the order of their dependence and stopped in reverse. The callbacks of the constructor
 * refer to layers that are made later; none is called before the constructor has returned.
 */
import type { Clock } from '../base/clock.js';
import { descriptorShares } from '../base/descriptor-shares.js';
import { Endpoint } from '../base/endpoint.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { KeyPair } from './crypto/key-pair.js';
import type { PublicKey } from './crypto/keys.js';
import { SharedKeyCache } from './crypto/shared-key-cache.js';
import { Dht } from './dht/dht.js';
import { Disruptions } from './disruptions.js';
import { FriendList } from './friend/friend-list.js';
import { NetCrypto } from './net-crypto/net-crypto.js';
import type { DatagramHandler, DatagramSocket } from './network/datagram-socket.js';
import type { LocalInterface } from './network/interfaces.js';
import type { PacketRouter } from './network/packet-router.js';
import type { DialStream } from './network/stream-socket.js';
import type { NetworkEvidence, OwnUdp } from './network-facts.js';
import { AnnounceServer } from './onion/announce-server.js';
import { OnionClient } from './onion/onion-client.js';
import { OnionRelay } from './onion/onion-relay.js';
import type { NodeInfo } from './packet/node-info.js';
import { RelayPool } from './relay/relay-pool.js';
import { RelayServer } from './relay/relay-server.js';
import type { Savedata } from './savedata.js';

// The version of c-toxcore whose protocol this is, after a 1, as tox-bootstrapd has it.
const BOOTSTRAP_INFO = { version: 1_000_002_018, motd: 'tuntox' };

export interface StackDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly socket: DatagramSocket;
  readonly dial: DialStream;
  readonly interfaces: () => readonly LocalInterface[];
}

export interface StackOptions {
  readonly savedata: Savedata;
  readonly udp?: boolean;
  /** With a proxy there is no UDP. */
  readonly proxy?: object;
  readonly lanDiscovery: boolean;
  readonly role?: 'peer' | 'node';
}

export interface StackOwner {
  readonly dhtKeys: KeyPair;
  readonly onOnlineChange: (isOnline: boolean) => void;
  readonly onFriendRequest: (publicKey: PublicKey, message: Buffer, source: string) => void;
  /** `hasNetwork` may have changed. */
  readonly onNetworkChange: () => void;
  /** Returns the external address that a router gave our UDP port or our relay. */
  readonly externalEndpoint: (protocol: 'udp' | 'tcp') => Endpoint | undefined;
}

export class Stack {
  readonly socket: DatagramSocket;
  readonly dht: Dht;
  readonly relayServer: RelayServer;
  readonly onion: OnionClient;
  readonly friends: FriendList;
  readonly #relays: RelayPool;
  readonly #onionRelay: OnionRelay;
  readonly #announceServer: AnnounceServer;
  readonly #netCrypto: NetCrypto;
  readonly #options: StackOptions;
  readonly #log: Logger;
  readonly #disruptions: Disruptions;
  #wasConnected = false;
  readonly #dhtKey: PublicKey;
  /** Packets that still come over relays must not start anything. */
  #isStopped = false;

  // biome-ignore lint/complexity/noExcessiveLinesPerFunction: it makes the layers one after the other
  constructor(
    deps: StackDeps,
    options: StackOptions,
    { dhtKeys: keyPair, onOnlineChange, onFriendRequest, onNetworkChange, externalEndpoint }: StackOwner,
  ) {
    const { clock, random, log, socket, dial, interfaces } = deps;
    const { identity } = options.savedata;
    const hasUdp = options.udp !== false;
    const shares = descriptorShares();
    const sharedKeys = new SharedKeyCache(keyPair.secretKey);
    const send: DatagramSocket['send'] = (...datagram) => socket.send(...datagram);
    this.#options = options;
    this.#log = log;
    this.#disruptions = new Disruptions({ clock, interfaces, onDisruption: (reason) => this.#refresh(reason) });
    this.#dhtKey = keyPair.publicKey;
    this.socket = socket;
    this.dht = new Dht(
      { clock, random, log, send, keyPair, sharedKeys, interfaces },
      {
        lanDiscovery: options.lanDiscovery && hasUdp,
        ipv6: socket.hasIpv6,
        ...(options.role === 'node' && { bootstrapInfo: BOOTSTRAP_INFO }),
      },
    );
    this.#relays = new RelayPool(
      {
        clock,
        random,
        log,
        dial,
        ownKey: keyPair.publicKey,
        sharedKey: (key) => sharedKeys.get(key),
        externalEndpoint: () => externalEndpoint('tcp'),
      },
      {
        onPacket: (packet, source) => {
          if (!this.#isStopped) this.#netCrypto.receive(packet, source);
        },
        onOnion: (packet, relay) => this.onion.receive(packet, relay),
        onHomeConnected: () => {
          this.onion.noteEntryChange();
          onNetworkChange();
        },
      },
      { maxRelays: shares.relays },
    );
    this.#onionRelay = new OnionRelay({
      clock,
      random,
      keyPair,
      send,
      sendToClient: (client, packet) => this.relayServer.respond(client, packet),
    });
    this.relayServer = new RelayServer({
      clock,
      random,
      log,
      keyPair,
      descriptors: shares.relayClients,
      forwardOnion: (data, client) => this.#onionRelay.forwardFromClient(data, client),
    });
    this.#announceServer = new AnnounceServer({
      clock,
      random,
      keyPair,
      send,
      closestNodes: (target, count, query) => this.dht.known.closest(target, count, query),
      onStored: (publicKey) => this.onion.noteStored(publicKey),
    });
    this.onion = new OnionClient(
      {
        clock,
        random,
        log,
        send,
        dht: this.dht,
        ownStore: this.#announceServer,
        relays: {
          connected: () => (this.dht.isConnected ? [] : this.#relays.homes),
          sendOnion: (relay, data) => this.#relays.sendOnion(relay, data),
        },
      },
      {
        onData: (sender, data, source) => this.friends.handleOnionData(sender, data, source),
        onAnnouncedChange: onOnlineChange,
        onUnreachable: () => this.dht.refresh(),
      },
      { dhtKeyPair: keyPair, identity, hasIpv6: socket.hasIpv6 || !hasUdp },
    );
    this.#netCrypto = new NetCrypto(
      {
        clock,
        random,
        log,
        send,
        dhtKeyPair: keyPair,
        dhtSharedKeys: sharedKeys,
        identity,
        hasUdp,
        isUdpBlocked: () => this.dht.udpHealth.kind === 'silent',
        fragmentsMade: () => socket.fragmentsMade(),
        mtuTowards: (to) => socket.mtuTowards(to),
      },
      { onOffer: (offer) => this.friends.handleOffer(offer) },
    );
    this.friends = new FriendList(
      {
        clock,
        random,
        log,
        dht: this.dht,
        onion: this.onion,
        netCrypto: this.#netCrypto,
        relays: this.#relays,
        ownEndpoints: {
          external: () => externalEndpoint('udp'),
          local: () => (hasUdp ? localEndpoints(interfaces(), socket) : []),
        },
      },
      { onFriendRequest },
      { identity, dhtKey: keyPair.publicKey, nospam: identity.nospam },
    );
    this.dht.onNode((node) => this.onion.noteNode(node));
    this.dht.onSuspect((node) => this.onion.noteSuspect(node));
    this.dht.onConnectedChange((isConnected) => {
      if (!isConnected) this.onion.noteEntryChange();
      else if (this.#wasConnected) this.#refresh('nodes answer again');
      this.#wasConnected = true;
      if (options.role === 'node') onOnlineChange(isConnected);
      onNetworkChange();
    });
  }

  /** Registers the receivers of all datagrams by their first byte (packet/kind); the router refuses duplicates. */
  connect(router: PacketRouter): void {
    const receivers: readonly { routes(): readonly (readonly [kind: number, handler: DatagramHandler])[] }[] = [
      // 0x00 to 0x04, 0x20, 0x21, 0xf0: ping, nodes, DHT requests, LAN discovery, bootstrap info.
      this.dht,
      // 0x80 to 0x82, 0x8c to 0x8e: layers and sendbacks of the onion, as a hop for others.
      this.#onionRelay,
      // 0x83, 0x85, 0x87: announcements, searches and data for the clients announced here.
      this.#announceServer,
      // 0x84, 0x86: answers to our announcements and searches, and data for us.
      this.onion,
      // 0x18 to 0x1b: cookies, handshakes, data.
      this.#netCrypto,
    ];
    for (const [kind, handler] of receivers.flatMap((receiver) => receiver.routes())) router.route(kind, handler);
  }

  start(): void {
    this.dht.start();
    this.dht.bootstrap.addSavedNodes(this.#options.savedata.dhtNodes);
    this.#disruptions.start();
    if (this.#options.role !== 'node') this.onion.start();
  }

  /** Ends all connections; their last packets are sent by the end of this tick, and then `close` follows. */
  stop(): void {
    this.#isStopped = true;
    this.#disruptions.stop();
    this.friends.close();
    this.#netCrypto.stop();
    this.onion.stop();
    this.dht.stop();
  }

  close(): void {
    this.#relays.stop();
    this.relayServer.stop();
    this.socket.close();
  }

  /** Checks everything again: addresses, NAT mappings, connections, paths and announcements may all have changed. */
  #refresh(reason: string): void {
    if (this.#isStopped) return;
    this.#log.info(`${reason}: rebootstrapping`);
    this.dht.refresh();
    this.#relays.refresh();
    this.onion.refresh();
    this.friends.refresh();
  }

  /** What the layers know about our own network, see `networkFacts`. */
  get evidence(): Omit<NetworkEvidence, 'isOnline' | 'relayPort' | 'mapping'> {
    return {
      ownUdp: this.ownUdp,
      reported: this.dht.reportedEndpoints,
      relays: this.#relays.homes,
      relayClients: this.relayServer.clients,
      relayedBytes: this.relayServer.relayedBytes,
      dropped: {
        onion: this.onion.dropped + this.#onionRelay.dropped + this.#announceServer.dropped,
        netCrypto: this.#netCrypto.dropped,
      },
      lossyDropped: this.#netCrypto.lossyDropped,
      udpPort: this.socket.localPort,
      udpSocket: this.socket.kind,
      bootstrapNodes: { ...this.dht.bootstrap.counts, unresolved: [] },
    };
  }

  /** Our own UDP: why there is none, or whether nodes answer. */
  get ownUdp(): OwnUdp {
    if (this.#options.proxy !== undefined) return { kind: 'proxy' };
    return this.#options.udp === false ? { kind: 'off' } : this.dht.udpHealth;
  }

  /** Whether any node or relay answers. */
  get hasNetwork(): boolean {
    return this.dht.isConnected || this.#relays.homes.length > 0;
  }

  /** Enters the network through a node and its relays. */
  bootstrap(node: NodeInfo, tcpPorts: readonly number[]): void {
    this.dht.bootstrap.addNode(node);
    this.onion.noteNode(node);
    // A node has no friends to reach over relays.
    if (this.#options.role === 'node') return;
    for (const port of tcpPorts) {
      this.#relays.add({ publicKey: node.publicKey, endpoint: node.endpoint.withPort(port) });
    }
  }

  /** Our external address has changed: announces it to friends that are not connected directly. */
  noteExternalChange(): void {
    if (!this.#isStopped) this.friends.announceAgain();
  }

  /** Makes our own relay one of those at which others reach us. */
  useOwnRelay(port: number): void {
    const endpoint = Endpoint.of('127.0.0.1', port);
    if (this.#options.role !== 'node' && endpoint !== undefined) {
      this.#relays.addOwn({ publicKey: this.#dhtKey, endpoint });
    }
  }
}

/** Returns the addresses of this machine with the port of our socket. */
function localEndpoints(interfaces: readonly LocalInterface[], socket: DatagramSocket): Endpoint[] {
  const addresses = [...interfaces.map(({ address }) => address), '127.0.0.1', '::1'];
  const endpoints = addresses.map((address) => Endpoint.of(address, socket.localPort));
  return endpoints.filter(
    (endpoint) => endpoint !== undefined && (endpoint.family === 4 || socket.hasIpv6),
  ) as Endpoint[];
}
