/** The Tox stack of one identity, as the application uses it: opens the ports, starts the layers, and stops them in reverse. */
import { messageOf } from '../base/coded-error.js';
import { Endpoint } from '../base/endpoint.js';
import { Listeners } from '../base/listeners.js';
import { generateKeyPair, type KeyPair } from './crypto/key-pair.js';
import type { PublicKey } from './crypto/keys.js';
import { ToxId } from './crypto/tox-id.js';
import { type Friend, type FriendRequest, type FriendSide, Messenger } from './messenger.js';
import { HandlerGuard } from './network/handler-guard.js';
import { type LocalInterface, LocalInterfaces } from './network/interfaces.js';
import { PacketRouter } from './network/packet-router.js';
import type { ProxyServer } from './network/proxies.js';
import { ProxyDialer, type ProxyError } from './network/proxy-dialer.js';
import { Resolver } from './network/resolver.js';
import type { DialStream } from './network/stream-socket.js';
import { dialTcp } from './network/tcp.js';
import { VpnFilter } from './network/vpn-filter.js';
import { type NetworkFacts, networkFacts } from './network-facts.js';
import { hasUdp, OwnPorts, type OwnPortsDeps, type OwnPortsOptions } from './own-ports.js';
import { encodeFriendRequest } from './packet/friend.js';
import { encodeSavedata, type Savedata } from './savedata.js';
import { Stack } from './stack.js';
import { UnresolvedHosts } from './unresolved-hosts.js';

export interface ToxDeps extends OwnPortsDeps {
  /** For simulations, as are those of the ports; by default those of this system. */
  readonly dial?: DialStream;
  readonly interfaces?: () => readonly LocalInterface[];
  readonly resolver?: Resolver;
}

export interface ToxOptions extends OwnPortsOptions {
  /** Who we are, and nodes of an earlier run. */
  readonly savedata: Savedata;
  /** Everything goes through the proxy: there is no UDP, LAN discovery, name lookup or relay of our own. */
  readonly proxy?: ProxyServer;
  /** A 'node' serves others, but is not announced itself and has no friends; default 'peer'. */
  readonly role?: 'peer' | 'node';
  /** The DHT key of a bootstrap node, which stays the same; by default a new one each time, by which peers notice a restart. */
  readonly dhtKeys?: KeyPair;
}

export interface BootstrapAddress {
  /** A name or a literal address. */
  readonly host: string;
  /** UDP. */
  readonly port: number;
  readonly publicKey: PublicKey;
  /** Ports of its TCP relay; by default the UDP port. */
  readonly tcpPorts?: readonly number[];
}

export class Tox {
  readonly id: ToxId;
  readonly #deps: ToxDeps;
  readonly #options: ToxOptions;
  readonly #resolver: Resolver;
  readonly #unresolved: UnresolvedHosts;
  readonly #dhtKeys: KeyPair;
  readonly #messenger: Messenger;
  readonly #onlineChanges = new Listeners<[isOnline: boolean]>();
  readonly #proxyChanges = new Listeners<[error: ProxyError | undefined]>();
  readonly #proxy: ProxyDialer | undefined;
  readonly #interfaces: LocalInterfaces;
  readonly #filter: VpnFilter;
  #starting: Promise<void> | undefined;
  #stack: Stack | undefined;
  #ports: OwnPorts | undefined;

  constructor(deps: ToxDeps, options: ToxOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#resolver = deps.resolver ?? new Resolver({ clock: deps.clock });
    this.#unresolved = new UnresolvedHosts(deps);
    this.#interfaces = new LocalInterfaces(deps);
    this.#filter = new VpnFilter(deps, (endpoint) => this.#interfaces.isInOwnVpn(endpoint));
    const { publicKey, nospam } = options.savedata.identity;
    this.id = new ToxId(publicKey, nospam);
    this.#messenger = new Messenger({ clock: deps.clock, ownKey: publicKey, stack: () => this.#running() });
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

  /** The TCP port of our own relay; undefined without one. */
  get relayPort(): number | undefined {
    return this.#ports?.relayPort;
  }

  /** Whether a node confirmed that it stores our announcement; in the role of a node, whether any node answers. */
  get isOnline(): boolean {
    if (this.#options.role === 'node') return this.#stack?.dht.isConnected ?? false;
    return this.#stack?.onion.isAnnounced ?? false;
  }

  /** What our own network is like. @throws Error before `start` */
  get networkFacts(): NetworkFacts {
    const { evidence } = this.#running();
    return networkFacts({
      ...evidence,
      isOnline: this.isOnline,
      relayPort: this.relayPort,
      mapping: this.#ports?.mapping,
      bootstrapNodes: { ...evidence.bootstrapNodes, unresolved: this.#unresolved.all },
    });
  }

  onOnlineChange(listener: (isOnline: boolean) => void): void {
    this.#onlineChanges.add(listener);
  }

  /** Why the proxy is unusable now; undefined while it works, and without a proxy. */
  get proxyFault(): ProxyError | undefined {
    return this.#proxy?.error;
  }

  onProxyChange(listener: (error: ProxyError | undefined) => void): void {
    this.#proxyChanges.add(listener);
  }

  onFriendRequest(listener: (request: FriendRequest) => void): void {
    this.#messenger.onRequest(listener);
  }

  /** Opens the ports and starts. @throws NetworkError (rejects) when no port of the range can be bound */
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
      // After `stop` datagrams are ignored: they must not start anything.
      onDatagram: this.#filter.datagrams(
        guard.datagrams((packet, source) => {
          if (this.#stack !== undefined) router.receive(packet, source);
        }),
      ),
      onStream: this.#filter.accepts(guard.accepts((stream) => this.#stack?.relayServer.accept(stream))),
    });
    try {
      this.#build(ports, router, guard).start();
    } catch (error) {
      await this.#end(ports);
      throw error;
    }
    ports.askRouter(() => this.#stack?.noteExternalChange());
  }

  #build(ports: OwnPorts, router: PacketRouter, guard: HandlerGuard): Stack {
    const stack = new Stack(
      {
        interfaces: () => this.#interfaces.read(),
        ...this.#deps,
        socket: this.#filter.sends(ports.socket),
        dial: guard.dials(this.#proxy?.dial ?? this.#filter.dials(this.#deps.dial ?? dialTcp)),
      },
      { ...this.#options, udp: hasUdp(this.#options) },
      {
        dhtKeys: this.#dhtKeys,
        onOnlineChange: (isOnline) => this.#onlineChanges.tell(isOnline),
        onFriendRequest: (...request) => this.#messenger.offer(...request),
        onNetworkChange: () => this.#messenger.noteNetworkChange(),
        externalEndpoint: (protocol) => ports.externalEndpoint(protocol),
      },
    );
    stack.connect(router);
    if (ports.relayPort !== undefined) stack.useOwnRelay(ports.relayPort);
    this.#ports = ports;
    this.#stack = stack;
    return stack;
  }

  /** Disconnects all friends, and closes the socket when the last packets are sent. */
  async stop(): Promise<void> {
    // Ports that are being opened must not stay open.
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
    this.#messenger.close();
    stack?.stop();
    await new Promise<void>((resolve) => {
      this.#deps.clock.soon(resolve);
    });
    if (stack === undefined) ports.socket.close();
    else stack.close();
    this.#proxy?.stop();
    await closed;
  }

  /** Enters the network through a node. A node that does not answer or has no address costs only a few packets. */
  bootstrap({ host, port, publicKey, tcpPorts = [port] }: BootstrapAddress): void {
    this.#running();
    if (this.#options.proxy !== undefined && Endpoint.of(host, port) === undefined) {
      this.#unresolved.failed(
        host,
        `${host} is not looked up, because all traffic goes through a proxy; use its IP address instead`,
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
   * Adds a friend by its Tox ID, and sends friend requests until it is online.
   * @param message 1 to 921 bytes; a function is called for each request, and returns those that take turns, at least one
   * @throws RangeError when a message has another length, or the key is ours or that of a friend whom we have asked
   */
  addFriend({ publicKey, nospam }: ToxId, message: Buffer | (() => readonly Buffer[])): Friend {
    const messages = typeof message === 'function' ? message : () => [message];
    const requests = (): Buffer[] => messages().map((one) => encodeFriendRequest({ nospam, message: one }));
    // A wrong length is reported here, and not when the friend is found.
    requests();
    return this.#messenger.add(publicKey, requests);
  }

  /** @param side who does not need the friend any more; default: nobody does */
  removeFriend(friend: Friend, side?: FriendSide): void {
    this.#messenger.remove(friend, side);
  }

  /**
   * Whether our sockets work: a datagram to ourselves arrives, or a node or relay answers. True without UDP, and when the system
   * refuses to send such a datagram, as some firewalls make it do. Never rejects.
   */
  async proveAlive(): Promise<boolean> {
    if (this.#ports === undefined) return false;
    return (await this.#ports.probe()) !== 'lost' || (this.#stack?.hasNetwork ?? false);
  }

  /** Returns the bytes of `tox_save`: our identity, and nodes for the next start. */
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
