/**
 * The ports through which others reach this stack: its UDP socket, a listener for LAN discovery, the TCP port of its own relay, and
 * the mappings of a router for them. They are opened all together, or none of them.
 */
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/coded-error.js';
import { Endpoint } from '../base/endpoint.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import { LISTENING_PORTS } from './dht/bootstrap/lan-discovery.js';
import { type DatagramHandler, type DatagramSocket, noUdp } from './network/datagram-socket.js';
import { type ProbeOutcome, SelfProbe } from './network/self-probe.js';
import type { AcceptStream, StreamListener } from './network/stream-socket.js';
import { listenTcp } from './network/tcp.js';
import { openUdpSocket } from './network/udp-socket.js';
import type { MappingFacts } from './network-facts.js';
import { UdpKind } from './packet/kind.js';
import type { LocalPort } from './port-mapping/port-mapper.js';

const LOOPBACK = '127.0.0.1';

/** The ports that a router maps for us. */
export interface KeptPorts {
  /** Returns the public address and port of our port. */
  external(protocol: LocalPort['protocol']): Endpoint | undefined;
  /** Returns the protocol by which the router mapped it. */
  by(protocol: LocalPort['protocol']): MappingFacts['by'] | undefined;
  stop(): Promise<void>;
}

/** @param onChange called when an external address appears, changes or disappears */
export type KeepPorts = (
  deps: { readonly clock: Clock; readonly random: Random; readonly log: Logger },
  ports: readonly LocalPort[],
  onChange: () => void,
) => Promise<KeptPorts>;

export interface OwnPortsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** For simulations, as are the next two; by default the UDP and TCP of this system, and the router of this machine. */
  readonly openSocket?: (onDatagram: DatagramHandler) => Promise<DatagramSocket>;
  readonly listen?: (accept: AcceptStream, port: number) => Promise<StreamListener>;
  readonly keepPorts?: KeepPorts;
}

export interface OwnPortsOptions {
  /** False for TCP relays alone; default true. */
  readonly udp?: boolean;
  /** The range of UDP ports to choose from, ends included. */
  readonly ports: { readonly first: number; readonly last: number };
  /** The TCP port of our own relay, 0 for no relay; by default the UDP port, or another one if that is taken, or none if none can be bound. */
  readonly relayPort?: number;
  readonly ipv6: boolean;
  readonly lanDiscovery: boolean;
  readonly bindAddress?: string;
  /** With a proxy there is no UDP, no LAN discovery and no relay of our own, and no router is asked. */
  readonly proxy?: object;
  /** Whether a router is asked to map our ports; default false. */
  readonly portMapping?: boolean;
}

export interface OwnPortsHandlers {
  readonly onDatagram: DatagramHandler;
  /** A client connects to our own relay. */
  readonly onStream: AcceptStream;
}

interface OpenPorts {
  readonly socket: DatagramSocket;
  readonly relay: StreamListener | undefined;
  readonly lanListener: DatagramSocket | undefined;
  readonly probe: SelfProbe;
}

export class OwnPorts {
  readonly socket: DatagramSocket;
  readonly #deps: OwnPortsDeps;
  readonly #options: OwnPortsOptions;
  readonly #open: OpenPorts;
  /** Resolves when the router's protocol is found or port mapping has failed. */
  #mapping: Promise<void> | undefined;
  #mapped: KeptPorts | undefined;

  private constructor(deps: OwnPortsDeps, options: OwnPortsOptions, open: OpenPorts) {
    this.#deps = deps;
    this.#options = options;
    this.#open = open;
    this.socket = open.socket;
  }

  /** @throws NetworkError (rejects) when no UDP port of the range, or not the given port of the relay, can be bound */
  static async open(deps: OwnPortsDeps, options: OwnPortsOptions, handlers: OwnPortsHandlers): Promise<OwnPorts> {
    const probe = new SelfProbe(deps);
    const onDatagram: DatagramHandler = (packet, source) => {
      if (!probe.take(packet)) handlers.onDatagram(packet, source);
    };
    const socket = await openSocket(deps, options, onDatagram);
    try {
      const relay = await openRelay(deps, options, handlers.onStream, socket.localPort);
      // In a simulation there is no LAN, and with a proxy no datagram may bypass it.
      const hasLan = options.lanDiscovery && hasUdp(options) && deps.openSocket === undefined;
      const lanListener = hasLan ? await openLanListener(deps, options.ipv6, onDatagram) : undefined;
      return new OwnPorts(deps, options, { socket, relay, lanListener, probe });
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** The TCP port of our own relay; undefined without one. */
  get relayPort(): number | undefined {
    return this.#open.relay?.port;
  }

  /** Asks the router to map our ports, if the options say so. @param onChange called when an external address has changed */
  askRouter(onChange: () => void): void {
    const { portMapping, proxy } = this.#options;
    if (portMapping !== true || proxy !== undefined) return;
    const udp = hasUdp(this.#options) ? [{ protocol: 'udp' as const, port: this.socket.localPort }] : [];
    const tcp = this.relayPort === undefined ? [] : [{ protocol: 'tcp' as const, port: this.relayPort }];
    const ports = [...udp, ...tcp];
    if (ports.length === 0) return;
    const { keepPorts = keepPortsAtRouter } = this.#deps;
    const log = this.#deps.log.child('port mapping');
    this.#mapping = keepPorts({ ...this.#deps, log }, ports, onChange).then(
      (mapped) => {
        this.#mapped = mapped;
      },
      (error) => log.debug(`disabled: ${messageOf(error)}`),
    );
  }

  /** Returns the external address that the router gave our UDP port or our relay. */
  externalEndpoint(protocol: 'udp' | 'tcp'): Endpoint | undefined {
    return this.#mapped?.external(protocol);
  }

  get mapping(): MappingFacts | undefined {
    for (const protocol of ['udp', 'tcp'] as const) {
      const [external, by] = [this.#mapped?.external(protocol), this.#mapped?.by(protocol)];
      if (external !== undefined && by !== undefined) return { outside: external.key, by };
    }
    return undefined;
  }

  /** Sends a datagram to our own UDP socket, to see whether it arrives; undefined without UDP. Never rejects. */
  async probe(): Promise<ProbeOutcome | undefined> {
    const { bindAddress = LOOPBACK } = this.#options;
    const own = Endpoint.of(bindAddress, this.socket.localPort);
    if (!hasUdp(this.#options) || own === undefined) return undefined;
    return this.#open.probe.send((packet, onRefused) => this.socket.send(packet, own, onRefused));
  }

  /** Accepts no new streams and deletes the mappings, in at most half a second. The UDP socket stays open for the last packets. */
  async close(): Promise<void> {
    const { probe, lanListener, relay } = this.#open;
    probe.stop();
    lanListener?.close();
    relay?.close();
    await this.#mapping;
    await this.#mapped?.stop();
  }
}

/** Whether datagrams may be sent at all. */
export const hasUdp = ({ udp, proxy }: Pick<OwnPortsOptions, 'udp' | 'proxy'>): boolean =>
  udp !== false && proxy === undefined;

/** The code of port mapping is loaded only when it is wanted. */
const keepPortsAtRouter: KeepPorts = async (deps, ports, onChange) => {
  const { openPortKeeper } = await import('./port-mapping/open-port-keeper.js');
  return openPortKeeper(deps, ports, onChange);
};

function openSocket(
  { openSocket: open, random, log }: OwnPortsDeps,
  options: OwnPortsOptions,
  onDatagram: DatagramHandler,
): Promise<DatagramSocket> {
  if (!hasUdp(options)) return Promise.resolve(noUdp);
  if (open !== undefined) return open(onDatagram);
  const { ports, ipv6, bindAddress } = options;
  return openUdpSocket(
    { random, log },
    { ports, ipv6, onDatagram, ...(bindAddress === undefined ? {} : { bindAddress }) },
  );
}

async function openRelay(
  deps: OwnPortsDeps,
  { relayPort, proxy, ipv6, bindAddress }: OwnPortsOptions,
  accept: AcceptStream,
  udpPort: number,
): Promise<StreamListener | undefined> {
  if (relayPort === 0 || proxy !== undefined) return undefined;
  const listen = (port: number): Promise<StreamListener> => {
    if (deps.listen !== undefined) return deps.listen(accept, port);
    return listenTcp(accept, { port, ipv6, ...(bindAddress === undefined ? {} : { bindAddress }) });
  };
  if (relayPort !== undefined) return listen(relayPort);
  try {
    // A peer that knows only our UDP port tries the same TCP port.
    return await listen(udpPort).catch(() => listen(0));
  } catch (error) {
    deps.log.warn(`this node is no TCP relay for others: ${messageOf(error)}`);
    return undefined;
  }
}

/**
 * Opens a socket that receives discovery packets when our own port is none of those to which they are sent. It only receives.
 * @returns undefined when all of these ports are taken; then only our own packets find neighbours
 */
export async function openLanListener(
  deps: { readonly random: Random; readonly log: Logger },
  ipv6: boolean,
  handler: DatagramHandler,
): Promise<DatagramSocket | undefined> {
  const onDatagram: DatagramHandler = (packet, source) => {
    if (packet[0] === UdpKind.LanDiscovery) handler(packet, source);
  };
  try {
    return await openUdpSocket(deps, { ports: LISTENING_PORTS, ipv6, onDatagram });
  } catch (error) {
    deps.log.debug(`discovery packets of the local network are not received: ${messageOf(error)}`);
    return undefined;
  }
}
