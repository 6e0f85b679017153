/** The real UDP socket: the only file that imports node:dgram. */
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import { messageOf, systemCodeOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { DatagramHandler, DatagramSocket } from './datagram-socket.js';
import { fragmentCounter } from './fragment-count.js';
import { interfaceMtu } from './interface-mtu.js';
import { NetworkError } from './network-error.js';

/** Half a second at 10 MB/s; the kernel grants what net.core.rmem_max allows. */
const BUFFER_SIZE = 4 * 1024 * 1024;
/** In a run of datagrams to one destination, one of so many asks the kernel how it went: asking costs a tenth of sending. */
const SAMPLE = 64;
/** What the system says of a socket that is no more; some end all of them when the machine sleeps. */
const DEAD = new Set(['EBADF', 'ENOTSOCK', 'EPIPE', 'ENOTCONN', 'ESHUTDOWN']);
/** What a machine without IPv6 says to an IPv6 socket. */
const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT', 'EINVAL', 'ENODEV']);

export interface UdpSocketOptions {
  /** A literal address of this machine; every address of it when left out. */
  readonly bindAddress?: string;
  /** The range to pick a free port from, ends included; 0 lets the system choose. */
  readonly ports: { readonly first: number; readonly last: number } | 0;
  /** Whether IPv6 is wanted. Where the machine has none, IPv4 alone is silently used. */
  readonly ipv6: boolean;
  readonly onDatagram: DatagramHandler;
}

/** For tests; Node's own otherwise. */
export type CreateSocket = (options: SocketOptions) => Socket;

export interface UdpSocket extends DatagramSocket {
  /** Failures that the system reported since the start; of a fast stream to one destination only a sample is seen. */
  readonly errors: number;
}

/**
 * Opens one socket, for both address families if possible.
 * @throws NetworkError (rejects) with 'port-in-use', 'no-permission', 'no-address' or 'no-socket'
 */
export async function openUdpSocket(
  deps: { readonly random: Random; readonly log: Logger; readonly create?: CreateSocket },
  options: UdpSocketOptions,
): Promise<UdpSocket> {
  const { create = createSocket } = deps;
  let failure: unknown;
  for (const port of shuffledPorts(deps.random, options.ports)) {
    for (const type of socketTypes(options)) {
      try {
        const open = (number: number): Promise<Socket> => bind(create, { type, port: number }, options.bindAddress);
        const socket = await open(port);
        return new NodeUdpSocket({ socket, open, log: deps.log }, type, options.onDatagram);
      } catch (error) {
        failure = error;
        if (!NO_IPV6.has(systemCodeOf(error) ?? '')) break;
      }
    }
    if (systemCodeOf(failure) !== 'EADDRINUSE') break;
  }
  throw bindError(failure, options);
}

/** What to try, in this order. */
function socketTypes({ ipv6, bindAddress }: UdpSocketOptions): readonly ('udp6' | 'udp4')[] {
  if (bindAddress === undefined) return ipv6 ? ['udp6', 'udp4'] : ['udp4'];
  return Endpoint.of(bindAddress, 0)?.family === 4 ? ['udp4'] : ['udp6'];
}

/** Random order: two peers on one machine, or one that restarts, should not fight for the first port of the range. */
function shuffledPorts(random: Random, ports: UdpSocketOptions['ports']): number[] {
  if (ports === 0) return [0];
  if (ports.first < 1 || ports.last > 0xffff || ports.first > ports.last) {
    throw new RangeError(`openUdpSocket: no range of ports: ${ports.first} to ${ports.last}`);
  }
  const list = Array.from({ length: ports.last - ports.first + 1 }, (_, index) => ports.first + index);
  for (let at = list.length - 1; at > 0; at -= 1) {
    const other = random.below(at + 1);
    [list[at], list[other]] = [list[other] as number, list[at] as number];
  }
  return list;
}

function bind(
  create: CreateSocket,
  { type, port }: { readonly type: 'udp6' | 'udp4'; readonly port: number },
  address: string | undefined,
): Promise<Socket> {
  const family = type === 'udp6' ? 6 : 4;
  // All our destinations are literal addresses. Node's own lookup would put each one off to the next tick.
  const socket = create({ type, lookup: (host, _options, callback) => callback(null, host, family) });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, ...(address === undefined ? {} : { address }) }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function bindError(cause: unknown, { ports, bindAddress }: UdpSocketOptions): NetworkError {
  const where = ports === 0 ? 'a UDP port' : `a UDP port from ${ports.first} to ${ports.last}`;
  switch (systemCodeOf(cause)) {
    case 'EADDRINUSE':
      return new NetworkError(
        'port-in-use',
        `${where} is needed, but other programs use them all: choose other ports`,
        {
          cause,
        },
      );
    case 'EACCES':
    case 'EPERM':
      return new NetworkError('no-permission', `not allowed to open ${where}: choose ports above 1023`, { cause });
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
    case 'ENOTFOUND':
      return new NetworkError('no-address', `${bindAddress} is no address of this machine: choose one that is`, {
        cause,
      });
    default:
      return new NetworkError('no-socket', `cannot open ${where}: ${messageOf(cause)}`, { cause });
  }
}

class NodeUdpSocket implements UdpSocket {
  readonly localPort: number;
  readonly hasIpv6: boolean;
  readonly fragmentsMade = fragmentCounter();
  readonly #log: Logger;
  /** Opens another one in the place of one that died. */
  readonly #open: (port: number) => Promise<Socket>;
  readonly #onDatagram: DatagramHandler;
  /** Undefined when it has died, until there is another one. */
  #socket: Socket | undefined;
  #isReopening = false;
  #isOpen = true;
  #errors = 0;
  /** The last source, kept because most datagrams come from where the one before came from. */
  #sourceAddress = '';
  #source: Endpoint | undefined;
  #destination: Endpoint | undefined;
  #destinationAddress = '';
  #unsampled = 0;

  constructor(
    deps: { readonly socket: Socket; readonly open: (port: number) => Promise<Socket>; readonly log: Logger },
    type: 'udp6' | 'udp4',
    onDatagram: DatagramHandler,
  ) {
    this.#log = deps.log;
    this.#open = deps.open;
    this.#onDatagram = onDatagram;
    this.hasIpv6 = type === 'udp6';
    this.localPort = deps.socket.address().port;
    this.#use(deps.socket);
  }

  get errors(): number {
    return this.#errors;
  }

  /** Connecting a socket sends nothing: the system only decides by which of our addresses it would go. */
  async mtuTowards({ family, address, port }: Endpoint): Promise<number | undefined> {
    const version = family === 4 ? 4 : 6;
    try {
      const socket = createSocket({
        type: `udp${version}`,
        lookup: (host, _, callback) => callback(null, host, version),
      });
      return await new Promise((resolve) => {
        const end = (mtu: number | undefined): void => {
          socket.close();
          resolve(mtu);
        };
        socket.once('error', () => end(undefined));
        socket.connect(port, address, () => end(interfaceMtu(socket.address().address)));
      });
    } catch {
      return undefined;
    }
  }

  send(packet: Buffer, destination: Endpoint, onRefused?: () => void): void {
    if (!this.#isOpen) return;
    // Node throws on port 0, which a hostile node can make us believe in.
    if (destination.port === 0 || (destination.family === 6 && !this.hasIpv6)) {
      this.#errors += 1;
      return;
    }
    const socket = this.#socket;
    if (socket === undefined) {
      this.#errors += 1;
      void this.#reopen();
      return;
    }
    this.#unsampled += 1;
    let callback: ((error: Error | null) => void) | undefined;
    if (onRefused !== undefined || destination !== this.#destination || this.#unsampled >= SAMPLE) {
      this.#destination = destination;
      const isMapped = this.hasIpv6 && destination.family === 4;
      this.#destinationAddress = isMapped ? `::ffff:${destination.address}` : destination.address;
      this.#unsampled = 0;
      callback = (error) => {
        this.#countError(error, socket);
        if (error !== null && !DEAD.has(systemCodeOf(error) ?? '')) onRefused?.();
      };
    }
    try {
      socket.send(packet, destination.port, this.#destinationAddress, callback);
    } catch {
      // It has been closed, and we have not been told yet.
      this.#errors += 1;
      this.#lose();
    }
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#abandon();
  }

  #use(socket: Socket): void {
    this.#socket = socket;
    enlargeBuffers(socket, this.#log);
    socket.on('message', this.#receive);
    socket.on('error', (error) => this.#countError(error, socket));
    // Not by us: we take the listeners away first.
    socket.on('close', this.#lose);
  }

  /** Takes leave of the socket, dead or alive; what it still says is of no interest. */
  #abandon(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.removeAllListeners();
    socket.on('error', () => {});
    try {
      socket.close();
    } catch {
      // It is closed already.
    }
  }

  readonly #lose = (): void => {
    this.#abandon();
    this.#log.warn(`the UDP socket on port ${this.localPort} has died; another one takes its place`);
    void this.#reopen();
  };

  /** On the same port, which peers and mappings of NATs know; where that fails, with the next packet to be sent. */
  async #reopen(): Promise<void> {
    if (this.#isReopening || !this.#isOpen) return;
    this.#isReopening = true;
    try {
      const socket = await this.#open(this.localPort);
      if (this.#isOpen) this.#use(socket);
      else socket.close();
    } catch (error) {
      this.#log.debug(`no UDP socket on port ${this.localPort}: ${messageOf(error)}`);
    } finally {
      this.#isReopening = false;
    }
  }

  readonly #receive = (packet: Buffer, { address, port }: RemoteInfo): void => {
    let source = this.#source;
    if (source === undefined || source.port !== port || this.#sourceAddress !== address) {
      source = Endpoint.ofSource(address, port);
      this.#source = source;
      this.#sourceAddress = address;
    }
    this.#onDatagram(packet, source);
  };

  /** Unreachable networks, oversized packets, refusals told by ICMP: all of it is loss, which every layer above survives. */
  #countError(error: Error | null, socket: Socket): void {
    if (error === null) return;
    this.#errors += 1;
    // What is told late of one that died says nothing about the one in its place.
    if (DEAD.has(systemCodeOf(error) ?? '') && this.#socket === socket) this.#lose();
  }
}

function enlargeBuffers(socket: Socket, log: Logger): void {
  try {
    socket.setRecvBufferSize(BUFFER_SIZE);
    socket.setSendBufferSize(BUFFER_SIZE);
    log.debug(`UDP buffers: receive ${socket.getRecvBufferSize()}, send ${socket.getSendBufferSize()} bytes`);
    // LAN discovery calls out to broadcast addresses.
    socket.setBroadcast(true);
  } catch (error) {
    log.debug(`UDP socket options refused: ${messageOf(error)}`);
  }
}
