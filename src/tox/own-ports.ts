/**
 * The ports of one stack, through which others reach it: its UDP socket, a listener for LAN discovery in the local network, the TCP port
 * on which it is a relay, and what a router lets through to them. They are opened all together, or none of them.
 */
import type { Clock } from '../base/clock.js';
import { Endpoint } from '../base/endpoint.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import { type LanListener, openLanListener } from './lan-listener.js';
import { type KeepPorts, keepPortsAtRouter, MappedPorts } from './mapped-ports.js';
import { type DatagramHandler, type DatagramSocket, noUdp } from './network/datagram-socket.js';
import { type ProbeOutcome, SelfProbe } from './network/self-probe.js';
import type { AcceptStream, StreamListener } from './network/stream-socket.js';
import { listenTcp } from './network/tcp.js';
import { openUdpSocket } from './network/udp-socket.js';
import type { MappingFacts } from './network-facts.js';

const LOOPBACK = '127.0.0.1';

export interface OwnPortsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** For simulations; the system's UDP and TCP when left out. */
  readonly openSocket?: (onDatagram: DatagramHandler) => Promise<DatagramSocket>;
  readonly listen?: (accept: AcceptStream, port: number) => Promise<StreamListener>;
  readonly keepPorts?: KeepPorts;
}

export interface OwnPortsOptions {
  /** False: TCP relays alone, through which everything goes; default true. */
  readonly udp?: boolean;
  /** UDP ports to choose from, ends included. */
  readonly ports: { readonly first: number; readonly last: number };
  /** The TCP port on which we are a relay for others, 0 for none; by default that of UDP, or another one where it is taken. */
  readonly relayPort?: number;
  readonly ipv6: boolean;
  readonly lanDiscovery: boolean;
  readonly bindAddress?: string;
  /** Given, nothing may go beside it: there is no UDP, no LAN discovery, no relay of our own, and no router is asked. */
  readonly proxy?: object;
  /** Whether the router is asked to let the world reach our ports; default false. */
  readonly portMapping?: boolean;
}

export interface OwnPortsHandlers {
  readonly onDatagram: DatagramHandler;
  /** Somebody wants us to be its relay. */
  readonly onStream: AcceptStream;
}

export class OwnPorts {
  readonly socket: DatagramSocket;
  readonly #deps: OwnPortsDeps;
  readonly #options: OwnPortsOptions;
  readonly #relay: StreamListener | undefined;
  readonly #lanListener: LanListener | undefined;
  readonly #probe: SelfProbe;
  #mapped: MappedPorts | undefined;

  private constructor(
    deps: OwnPortsDeps,
    options: OwnPortsOptions,
    opened: {
      readonly socket: DatagramSocket;
      readonly relay: StreamListener | undefined;
      readonly lanListener: LanListener | undefined;
      readonly probe: SelfProbe;
    },
  ) {
    this.#deps = deps;
    this.#options = options;
    this.socket = opened.socket;
    this.#relay = opened.relay;
    this.#lanListener = opened.lanListener;
    this.#probe = opened.probe;
  }

  /** @throws NetworkError (rejects) when no UDP port of the range, or not the relay's port, can be bound */
  static async open(deps: OwnPortsDeps, options: OwnPortsOptions, handlers: OwnPortsHandlers): Promise<OwnPorts> {
    const probe = new SelfProbe(deps);
    const onDatagram: DatagramHandler = (packet, source) => {
      if (!probe.take(packet)) handlers.onDatagram(packet, source);
    };
    const socket = await openSocket(deps, options, onDatagram);
    try {
      const relay = await openRelay(deps, options, handlers.onStream, socket.localPort);
      const lanListener = await listenOnLan(deps, options, onDatagram);
      return new OwnPorts(deps, options, { socket, relay, lanListener, probe });
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** The TCP port on which we are a relay for others; undefined when we are none. */
  get relayPort(): number | undefined {
    return this.#relay?.port;
  }

  /** Asks the router to let the world reach them, if that is wanted. @param onChange the world reaches us elsewhere than before */
  askRouter(onChange: () => void): void {
    const { portMapping, proxy } = this.#options;
    if (portMapping !== true || proxy !== undefined) return;
    const udp = hasUdp(this.#options) ? [{ protocol: 'udp' as const, port: this.socket.localPort }] : [];
    const tcp = this.relayPort === undefined ? [] : [{ protocol: 'tcp' as const, port: this.relayPort }];
    const ports = [...udp, ...tcp];
    if (ports.length === 0) return;
    this.#mapped = new MappedPorts(this.#deps, this.#deps.keepPorts ?? keepPortsAtRouter, ports, onChange);
  }

  /** Where the router lets the world reach our UDP port or our relay. */
  externalEndpoint(protocol: 'udp' | 'tcp'): Endpoint | undefined {
    return this.#mapped?.externalEndpoint(protocol);
  }

  get mapping(): MappingFacts | undefined {
    return this.#mapped?.facts;
  }

  /** Whether our UDP socket carries a datagram to ourselves; undefined without UDP, where nothing can be asked. Never rejects. */
  async probe(): Promise<ProbeOutcome | undefined> {
    const { bindAddress = LOOPBACK } = this.#options;
    const own = Endpoint.of(bindAddress, this.socket.localPort);
    if (!hasUdp(this.#options) || own === undefined) return undefined;
    return this.#probe.send((packet, onRefused) => this.socket.send(packet, own, onRefused));
  }

  /** Nobody new comes in, and the router gets its ports back. The UDP socket stays: its user has yet to say good-bye. */
  async close(): Promise<void> {
    this.#probe.stop();
    const unmapped = this.#mapped?.stop();
    this.#lanListener?.close();
    this.#relay?.close();
    await unmapped;
  }
}

/** Whether datagrams may go at all. */
export const hasUdp = ({ udp, proxy }: Pick<OwnPortsOptions, 'udp' | 'proxy'>): boolean =>
  udp !== false && proxy === undefined;

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
  // Who knows our UDP port alone tries the same one.
  return relayPort === undefined ? listen(udpPort).catch(() => listen(0)) : listen(relayPort);
}

/** In a simulation there is nothing to hear, and with a proxy nothing may go beside it. */
async function listenOnLan(
  deps: OwnPortsDeps,
  options: OwnPortsOptions,
  onCall: DatagramHandler,
): Promise<LanListener | undefined> {
  if (!options.lanDiscovery || !hasUdp(options) || deps.openSocket !== undefined) return undefined;
  return openLanListener(deps, { ipv6: options.ipv6, onCall });
}
