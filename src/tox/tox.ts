/**
 * The Tox stack of one identity: builds the layers in the order of their dependence, and takes them down in reverse.
 */
import { messageOf } from '../base/coded-error.js';
import { Endpoint } from '../base/endpoint.js';
import { Listeners } from '../base/listeners.js';
import { generateKeyPair, type KeyPair, type PublicKey } from './crypto/keys.js';
import { ToxId } from './crypto/tox-id.js';
import { FriendBook, type FriendRequest } from './friend-book.js';
import type { Friend } from './messenger.js';
import { HandlerGuard } from './network/handler-guard.js';
import type { LocalInterface } from './network/interfaces.js';
import { PacketRouter } from './network/packet-router.js';
import type { ProxyServer } from './network/proxies.js';
import { ProxyDialer } from './network/proxy-dialer.js';
import type { ProxyError } from './network/proxy-watch.js';
import { Resolver } from './network/resolver.js';
import type { DialStream } from './network/stream-socket.js';
import { dialTcp } from './network/tcp.js';
import { type NetworkFacts, networkFacts } from './network-facts.js';
import { hasUdp, OwnPorts, type OwnPortsDeps, type OwnPortsOptions } from './own-ports.js';
import { encodeFriendRequest } from './packet/friend.js';
import { connectRoutes } from './routes.js';
import { encodeSavedata, type Savedata } from './savedata.js';
import { Stack } from './stack.js';
import { UnresolvedHosts } from './unresolved-hosts.js';

export interface ToxDeps extends OwnPortsDeps {
  /** For simulations, as those of the ports; the system's when left out. */
  readonly dial?: DialStream;
  readonly interfaces?: () => readonly LocalInterface[];
  readonly resolver?: Resolver;
}

export interface ToxOptions extends OwnPortsOptions {
  /** Who we are, and nodes of an earlier run. */
  readonly savedata: Savedata;
  /** All goes through it or nowhere: no UDP, no LAN discovery, no names looked up, and no relay of our own. */
  readonly proxy?: ProxyServer;
  /** A 'node' serves others, but is not announced itself and has no friends; default 'peer'. */
  readonly role?: 'peer' | 'node';
  /** A DHT key that outlives the run, for a bootstrap node; else a new one each time, which makes peers notice a restart. */
  readonly dhtKeys?: KeyPair;
}

export interface BootstrapAddress {
  /** A name or a literal address. */
  readonly host: string;
  /** UDP. */
  readonly port: number;
  readonly publicKey: PublicKey;
  /** Ports of its TCP relay; that of UDP is tried when nothing is known. */
  readonly tcpPorts?: readonly number[];
}

export class Tox {
  readonly id: ToxId;
  readonly #deps: ToxDeps;
  readonly #options: ToxOptions;
  readonly #resolver: Resolver;
  readonly #unresolved: UnresolvedHosts;
  readonly #dhtKeys: KeyPair;
  readonly #friends: FriendBook;
  readonly #onlineChanges = new Listeners<[isOnline: boolean]>();
  readonly #proxyChanges = new Listeners<[error: ProxyError | undefined]>();
  readonly #proxy: ProxyDialer | undefined;
  #starting: Promise<void> | undefined;
  #stack: Stack | undefined;
  #ports: OwnPorts | undefined;

  constructor(deps: ToxDeps, options: ToxOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#resolver = deps.resolver ?? new Resolver({ clock: deps.clock });
    this.#unresolved = new UnresolvedHosts(deps);
    const { publicKey, nospam } = options.savedata.identity;
    this.id = new ToxId(publicKey, nospam);
    this.#friends = new FriendBook({ clock: deps.clock, ownKey: publicKey, stack: () => this.#running() });
    this.#dhtKeys = options.dhtKeys ?? generateKeyPair(deps.random);
    this.#proxy = options.proxy === undefined ? undefined : this.#proxyDialer(options.proxy);
  }

  get publicKey(): PublicKey {
    return this.id.publicKey;
  }

  get dhtPublicKey(): PublicKey {
    return this.#dhtKeys.publicKey;
  }

  /** The UDP port, 0 without UDP. @throws Error before `start` */
  get localPort(): number {
    return this.#running().socket.localPort;
  }

  /** The TCP port on which we are a relay for others; undefined when we are none. */
  get relayPort(): number | undefined {
    return this.#ports?.relayPort;
  }

  /** Whether others can find us: a node has confirmed that it stores our announcement. A mere node: whether any answers. */
  get isOnline(): boolean {
    if (this.#options.role === 'node') return this.#stack?.dht.isConnected ?? false;
    return this.#stack?.onion.isAnnounced ?? false;
  }

  /** What our own network is like. @throws Error before `start` */
  get networkFacts(): NetworkFacts {
    const { ownUdp, dht, relays, relayServer, socket } = this.#running();
    return networkFacts({
      isOnline: this.isOnline,
      ownUdp,
      reported: dht.reportedEndpoints,
      relays: relays.homes,
      relayPort: this.relayPort,
      relayClients: relayServer.strangers,
      relayedBytes: relayServer.passedOn,
      udpPort: socket.localPort,
      udpSocket: socket.kind,
      mapping: this.#ports?.mapping,
      bootstrapNodes: { ...dht.bootstrapCounts, unresolved: this.#unresolved.all },
    });
  }

  onOnlineChange(listener: (isOnline: boolean) => void): void {
    this.#onlineChanges.add(listener);
  }

  /** Why the proxy is of no use now; undefined while it is, and without one. */
  get proxyFault(): ProxyError | undefined {
    return this.#proxy?.error;
  }

  onProxyChange(listener: (error: ProxyError | undefined) => void): void {
    this.#proxyChanges.add(listener);
  }

  onFriendRequest(listener: (request: FriendRequest) => void): void {
    this.#friends.onRequest(listener);
  }

  /** Opens the socket and begins. @throws NetworkError (rejects) when no port of the range can be bound */
  async start(): Promise<void> {
    if (this.#starting !== undefined) throw new Error('Tox: started already');
    this.#starting = this.#start();
    try {
      await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw error;
    }
  }

  async #start(): Promise<void> {
    const router = new PacketRouter();
    const guard = new HandlerGuard(this.#deps);
    const ports = await OwnPorts.open(this.#deps, this.#options, {
      // Deaf as soon as `stop` is called: what a late datagram would set going, nobody would end.
      onDatagram: guard.datagrams((packet, source) => {
        if (this.#stack !== undefined) router.receive(packet, source);
      }),
      onStream: guard.accepts((stream) => this.#stack?.relayServer.accept(stream)),
    });
    try {
      this.#build(ports, router, guard).start();
    } catch (error) {
      await this.#end(ports);
      throw error;
    }
    ports.askRouter(() => this.#stack?.noteOutside());
  }

  #build(ports: OwnPorts, router: PacketRouter, guard: HandlerGuard): Stack {
    const stack = new Stack(
      {
        ...this.#deps,
        socket: ports.socket,
        dial: guard.dials(this.#proxy?.dial ?? this.#deps.dial ?? dialTcp),
      },
      { ...this.#options, udp: hasUdp(this.#options) },
      {
        dhtKeys: this.#dhtKeys,
        onOnlineChange: (isOnline) => this.#onlineChanges.tell(isOnline),
        onFriendRequest: (...request) => this.#friends.offer(...request),
        externalEndpoint: (protocol) => ports.externalEndpoint(protocol),
      },
    );
    const { dht, onionRelay, announceServer, onion, netCrypto } = stack;
    connectRoutes(router, { dht, onionRelay, announceServer, onion, netCrypto });
    if (ports.relayPort !== undefined) stack.useOwnRelay(ports.relayPort);
    this.#ports = ports;
    this.#stack = stack;
    return stack;
  }

  /** Says good-bye to all friends, and closes the socket once that is sent. */
  async stop(): Promise<void> {
    // What is being opened would stay open.
    if (this.#stack === undefined) await this.#starting?.catch(() => {});
    if (this.#ports === undefined) return;
    this.#starting = undefined;
    await this.#end(this.#ports);
  }

  async #end(ports: OwnPorts): Promise<void> {
    const stack = this.#stack;
    this.#stack = undefined;
    this.#ports = undefined;
    const closed = ports.close();
    this.#unresolved.stop();
    this.#friends.close();
    stack?.stop();
    await new Promise<void>((resolve) => {
      this.#deps.clock.soon(resolve);
    });
    if (stack === undefined) ports.socket.close();
    else stack.close();
    this.#proxy?.stop();
    await closed;
  }

  /** Enters the network through a node. One that does not answer, or has no address, costs nothing but a few packets. */
  bootstrap({ host, port, publicKey, tcpPorts = [port] }: BootstrapAddress): void {
    this.#running();
    if (this.#options.proxy !== undefined && Endpoint.of(host, port) === undefined) {
      this.#unresolved.failed(
        host,
        `${host} is not looked up, as everything goes through a proxy: give its address instead`,
      );
      return;
    }
    this.#resolver.resolve(host, port).then(
      (endpoints) => {
        this.#unresolved.resolved(host);
        for (const endpoint of endpoints) this.#stack?.bootstrap({ endpoint, publicKey }, tcpPorts);
      },
      (error) => {
        if (this.#stack !== undefined) this.#unresolved.failed(host, messageOf(error));
      },
    );
  }

  /**
   * Makes a friend of somebody whose Tox ID we have, and asks until it is online.
   * @param message 1 to 921 bytes
   * @throws RangeError when the message has another length, or the key is ours or a friend's already
   */
  addFriend(id: ToxId, message: Buffer): Friend {
    return this.#friends.add(id.publicKey, encodeFriendRequest({ nospam: id.nospam, message }));
  }

  /** Makes a friend of somebody who knows us. @throws RangeError when the key is ours or a friend's already */
  addFriendWithoutRequest(publicKey: PublicKey): Friend {
    return this.#friends.add(publicKey, undefined);
  }

  removeFriend(friend: Friend): void {
    this.#friends.remove(friend);
  }

  /**
   * Whether anything is carried: a datagram to ourselves, or else what a node or a relay answers. That the system refuses to send
   * one, as behind a firewall or without a loopback, says nothing against our socket. True without UDP, where nothing can be asked.
   * Never rejects.
   */
  async proveAlive(): Promise<boolean> {
    if (this.#ports === undefined) return false;
    return (await this.#ports.probe()) !== 'lost' || (this.#stack?.hasNetwork ?? false);
  }

  /** The bytes of `tox_save`: who we are, and nodes for a warm start. */
  savedata(): Buffer {
    const dhtNodes = this.#stack?.dht.known.toSave() ?? [];
    const { savedata } = this.#options;
    return encodeSavedata(dhtNodes.length > 0 ? { ...savedata, dhtNodes } : savedata);
  }

  #running(): Stack {
    if (this.#stack === undefined) throw new Error('Tox: not started');
    return this.#stack;
  }

  #proxyDialer(proxy: ProxyServer): ProxyDialer {
    const { clock, random, dial = dialTcp } = this.#deps;
    const resolve = (host: string, port: number): Promise<readonly Endpoint[]> => this.#resolver.resolve(host, port);
    const onChange = (error: ProxyError | undefined): void => this.#proxyChanges.tell(error);
    return new ProxyDialer({ clock, random, dial, resolve, onChange }, proxy);
  }
}
