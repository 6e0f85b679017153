/**
 * The Tox stack of one identity: builds the layers in the order of their dependence, and takes them down in reverse.
 */
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/coded-error.js';
import { Endpoint } from '../base/endpoint.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import { generateKeyPair, type KeyPair, type PublicKey } from './crypto/keys.js';
import { ToxId } from './crypto/tox-id.js';
import { type LanListener, openLanListener } from './lan-listener.js';
import { type KeepPorts, keepPortsAtRouter, MappedPorts } from './mapped-ports.js';
import { type Friend, MessengerFriend } from './messenger.js';
import type { DatagramHandler, DatagramSocket } from './network/datagram-socket.js';
import type { LocalInterface } from './network/interfaces.js';
import { noUdp } from './network/no-udp.js';
import { PacketRouter } from './network/packet-router.js';
import type { ProxyServer } from './network/proxies.js';
import { ProxyDialer } from './network/proxy-dialer.js';
import type { ProxyFault } from './network/proxy-watch.js';
import { Resolver } from './network/resolver.js';
import { SelfProbe } from './network/self-probe.js';
import type { AcceptStream, DialStream, StreamListener } from './network/stream-socket.js';
import { dialTcp } from './network/tcp-dialer.js';
import { listenTcp } from './network/tcp-listener.js';
import { openUdpSocket } from './network/udp-socket.js';
import { type NetworkFacts, networkFacts } from './network-facts.js';
import { encodeFriendRequest } from './packet/friend.js';
import { connectRoutes } from './routes.js';
import { encodeSavedata, type Savedata } from './savedata.js';
import { Stack, type StackOptions } from './stack.js';

const LOOPBACK = '127.0.0.1';

export interface ToxDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** For simulations; the system's UDP and TCP when left out. */
  readonly openSocket?: (onDatagram: DatagramHandler) => Promise<DatagramSocket>;
  readonly dial?: DialStream;
  readonly listen?: (accept: AcceptStream, port: number) => Promise<StreamListener>;
  readonly interfaces?: () => readonly LocalInterface[];
  readonly resolver?: Resolver;
  readonly keepPorts?: KeepPorts;
}

export interface ToxOptions {
  /** Who we are, and nodes of an earlier run. */
  readonly savedata: Savedata;
  /** False: TCP relays alone, through which everything goes; default true. */
  readonly udp?: boolean;
  /** UDP ports to choose from, ends included. */
  readonly ports: { readonly first: number; readonly last: number };
  /** The TCP port on which we are a relay for others, 0 for none; by default that of UDP, or another one where it is taken. */
  readonly relayPort?: number;
  readonly ipv6: boolean;
  readonly lanDiscovery: boolean;
  readonly bindAddress?: string;
  /** All goes through it or nowhere: no UDP, no LAN discovery, no names looked up, and no relay of our own. */
  readonly proxy?: ProxyServer;
  /** Whether the router is asked to let the world reach our ports; default false. */
  readonly portMapping?: boolean;
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

export interface FriendRequest {
  readonly publicKey: PublicKey;
  readonly message: Buffer;
  /** Makes the sender a friend. */
  accept(): Friend;
}

export class Tox {
  readonly id: ToxId;
  readonly #deps: ToxDeps;
  readonly #options: ToxOptions;
  readonly #log: Logger;
  readonly #resolver: Resolver;
  readonly #dhtKeys: KeyPair;
  readonly #friends = new Map<string, MessengerFriend>();
  readonly #requestListeners: ((request: FriendRequest) => void)[] = [];
  readonly #onlineListeners: ((isOnline: boolean) => void)[] = [];
  readonly #proxyListeners: ((fault: ProxyFault | undefined) => void)[] = [];
  readonly #proxy: ProxyDialer | undefined;
  readonly #selfProbe: SelfProbe;
  #starting: Promise<void> | undefined;
  #stack: Stack | undefined;
  #lanListener: LanListener | undefined;
  #relayListener: StreamListener | undefined;
  #mappedPorts: MappedPorts | undefined;

  constructor(deps: ToxDeps, options: ToxOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#log = deps.log;
    this.#resolver = deps.resolver ?? new Resolver({ clock: deps.clock });
    const { publicKey, nospam } = options.savedata.identity;
    this.id = new ToxId(publicKey, nospam);
    this.#selfProbe = new SelfProbe(deps);
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
    return this.#relayListener?.port;
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
      udpPort: socket.localPort,
      mapping: this.#mappedPorts?.facts,
      bootstrapNodes: dht.bootstrapCounts,
    });
  }

  onOnlineChange(listener: (isOnline: boolean) => void): void {
    this.#onlineListeners.push(listener);
  }

  /** Why the proxy is of no use now; undefined while it is, and without one. */
  get proxyFault(): ProxyFault | undefined {
    return this.#proxy?.fault;
  }

  onProxyChange(listener: (fault: ProxyFault | undefined) => void): void {
    this.#proxyListeners.push(listener);
  }

  onFriendRequest(listener: (request: FriendRequest) => void): void {
    this.#requestListeners.push(listener);
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
    // Deaf as soon as `stop` is called: what a late datagram would set going, nobody would end.
    const receive: DatagramHandler = (packet, source) => {
      if (this.#stack !== undefined && !this.#selfProbe.take(packet)) router.receive(packet, source);
    };
    const socket = await this.#openSocket(receive);
    const stack = new Stack(
      { ...this.#deps, socket, dial: this.#proxy?.dial ?? this.#deps.dial ?? dialTcp },
      this.#stackOptions(),
      {
        dhtKeys: this.#dhtKeys,
        onOnlineChange: (isOnline) => this.#tellOnline(isOnline),
        onFriendRequest: (publicKey, message) => this.#offerFriend(publicKey, message),
        outside: (protocol) => this.#mappedPorts?.outside(protocol),
      },
    );
    try {
      await this.#becomeRelay(stack);
    } catch (error) {
      socket.close();
      throw error;
    }
    this.#lanListener = await this.#openLanListener(receive);
    const { dht, onionRelay, announceServer, onion, netCrypto } = stack;
    connectRoutes(router, { dht, onionRelay, announceServer, onion, netCrypto });
    this.#stack = stack;
    stack.start();
    this.#mappedPorts = this.#mapPorts(stack);
  }

  /** Says good-bye to all friends, and closes the socket once that is sent. */
  async stop(): Promise<void> {
    // What is being opened would stay open.
    if (this.#stack === undefined) await this.#starting?.catch(() => {});
    const stack = this.#stack;
    if (stack === undefined) return;
    this.#stack = undefined;
    this.#starting = undefined;
    this.#selfProbe.stop();
    const unmapped = this.#mappedPorts?.stop();
    this.#mappedPorts = undefined;
    for (const friend of this.#friends.values()) friend.leave();
    this.#friends.clear();
    this.#lanListener?.close();
    this.#relayListener?.close();
    this.#relayListener = undefined;
    stack.stop();
    await new Promise<void>((resolve) => {
      this.#deps.clock.soon(resolve);
    });
    stack.close();
    this.#proxy?.stop();
    await unmapped;
  }

  /** Enters the network through a node. One that does not answer, or has no address, costs nothing but a few packets. */
  bootstrap({ host, port, publicKey, tcpPorts = [port] }: BootstrapAddress): void {
    this.#running();
    if (this.#options.proxy !== undefined && Endpoint.of(host, port) === undefined) {
      this.#log.debug(`bootstrap node left out: ${host} is a name, which would have to be looked up without the proxy`);
      return;
    }
    this.#resolver.resolve(host, port).then(
      (endpoints) => {
        for (const endpoint of endpoints) this.#stack?.bootstrap({ endpoint, publicKey }, tcpPorts);
      },
      (error) => this.#log.debug(`bootstrap node left out: ${messageOf(error)}`),
    );
  }

  /**
   * Makes a friend of somebody whose Tox ID we have, and asks until it is online.
   * @param message 1 to 921 bytes
   * @throws RangeError when the message has another length, or the key is ours or a friend's already
   */
  addFriend(id: ToxId, message: Buffer): Friend {
    return this.#add(id.publicKey, encodeFriendRequest({ nospam: id.nospam, message }));
  }

  /** Makes a friend of somebody who knows us. @throws RangeError when the key is ours or a friend's already */
  addFriendWithoutRequest(publicKey: PublicKey): Friend {
    return this.#add(publicKey, undefined);
  }

  removeFriend(friend: Friend): void {
    const key = friend.publicKey.hex;
    const known = this.#friends.get(key);
    // It may be gone already, and somebody new have its key.
    if (known === undefined || known !== friend) return;
    this.#friends.delete(key);
    known.leave();
    this.#stack?.friends.remove(friend.publicKey);
  }

  /** Whether our UDP socket carries a datagram to ourselves; true without UDP, where nothing can be asked. Never rejects. */
  proveAlive(): Promise<boolean> {
    const { bindAddress = LOOPBACK } = this.#options;
    const socket = this.#stack?.socket;
    if (socket === undefined) return Promise.resolve(false);
    const own = Endpoint.of(bindAddress, socket.localPort);
    if (!this.#hasUdp || own === undefined) return Promise.resolve(true);
    return this.#selfProbe.send((packet) => socket.send(packet, own));
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

  /** In a simulation there is nothing to hear, and with a proxy nothing may go beside it. */
  async #openLanListener(onCall: DatagramHandler): Promise<LanListener | undefined> {
    const { lanDiscovery, ipv6 } = this.#options;
    if (!lanDiscovery || !this.#hasUdp || this.#deps.openSocket !== undefined) return undefined;
    return openLanListener(this.#deps, { ipv6, onCall });
  }

  get #hasUdp(): boolean {
    return this.#options.udp !== false && this.#options.proxy === undefined;
  }

  #stackOptions(): StackOptions {
    return { ...this.#options, udp: this.#hasUdp };
  }

  #proxyDialer(proxy: ProxyServer): ProxyDialer {
    const { clock, random, dial = dialTcp } = this.#deps;
    const resolve = (host: string, port: number): Promise<readonly Endpoint[]> => this.#resolver.resolve(host, port);
    const onChange = (fault: ProxyFault | undefined): void => {
      for (const listener of this.#proxyListeners) listener(fault);
    };
    return new ProxyDialer({ clock, random, dial, resolve, onChange }, proxy);
  }

  #openSocket(onDatagram: DatagramHandler): Promise<DatagramSocket> {
    const { openSocket, random, log } = this.#deps;
    if (!this.#hasUdp) return Promise.resolve(noUdp);
    if (openSocket !== undefined) return openSocket(onDatagram);
    const { ports, ipv6, bindAddress } = this.#options;
    return openUdpSocket(
      { random, log },
      { ports, ipv6, onDatagram, ...(bindAddress === undefined ? {} : { bindAddress }) },
    );
  }

  async #becomeRelay(stack: Stack): Promise<void> {
    const { relayPort, proxy } = this.#options;
    if (relayPort === 0 || proxy !== undefined) return;
    const accept: AcceptStream = (socket) => stack.relayServer.accept(socket);
    if (relayPort !== undefined) {
      this.#relayListener = await this.#listen(accept, relayPort);
    } else {
      // Who knows our UDP port alone tries the same one.
      this.#relayListener = await this.#listen(accept, stack.socket.localPort).catch(() => this.#listen(accept, 0));
    }
    stack.useOwnRelay(this.#relayListener.port);
  }

  #listen(accept: AcceptStream, port: number): Promise<StreamListener> {
    const { ipv6, bindAddress } = this.#options;
    if (this.#deps.listen !== undefined) return this.#deps.listen(accept, port);
    return listenTcp(accept, { port, ipv6, ...(bindAddress === undefined ? {} : { bindAddress }) });
  }

  /** A proxy's user wants nothing to go beside it. */
  #mapPorts(stack: Stack): MappedPorts | undefined {
    const { portMapping, proxy } = this.#options;
    if (portMapping !== true || proxy !== undefined) return undefined;
    const udp = this.#hasUdp ? [{ protocol: 'udp' as const, port: stack.socket.localPort }] : [];
    const tcp = this.relayPort === undefined ? [] : [{ protocol: 'tcp' as const, port: this.relayPort }];
    const ports = [...udp, ...tcp];
    if (ports.length === 0) return undefined;
    return new MappedPorts(this.#deps, this.#deps.keepPorts ?? keepPortsAtRouter, ports, () => stack.noteOutside());
  }

  #tellOnline(isOnline: boolean): void {
    for (const listener of this.#onlineListeners) listener(isOnline);
  }

  #add(publicKey: PublicKey, request: Buffer | undefined): Friend {
    if (publicKey.equals(this.publicKey)) throw new RangeError('Tox: that is our own key');
    const stack = this.#running();
    // Whoever asks waits for the friend; whoever was asked has many friends, and those come by themselves.
    const persistence = request === undefined ? 'patient' : 'eager';
    const friend = new MessengerFriend(
      {
        clock: this.#deps.clock,
        connect: (handlers) => stack.friends.add(publicKey, handlers, persistence),
        ownNetwork: () => stack,
      },
      { publicKey, request },
    );
    this.#friends.set(publicKey.hex, friend);
    return friend;
  }

  #offerFriend(publicKey: PublicKey, message: Buffer): void {
    const accept = (): Friend => this.#friends.get(publicKey.hex) ?? this.addFriendWithoutRequest(publicKey);
    for (const listener of this.#requestListeners) listener({ publicKey, message, accept });
  }
}
