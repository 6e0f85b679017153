/** The UDP socket of a stack: on a port of a range, for both address families, and another one in its place when it dies. */
import { messageOf, systemCodeOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { type BindOptions, type BindSocket, type BoundSocket, isDeath } from './bound-socket.js';
import type { DatagramHandler, DatagramSocket, SocketKind } from './datagram-socket.js';
import { fragmentCounter } from './fragment-count.js';
import { nativeAddon } from './native-addon.js';
import { nativeBinder } from './native-udp.js';
import { NetworkError } from './network-error.js';
import { mtuTowards, nodeBinder } from './node-udp.js';

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

export interface UdpSocket extends DatagramSocket {
  /** Failures that the system reported since the start; of a fast stream to one destination only a sample is seen. */
  readonly errors: number;
}

/**
 * Opens one socket, for both address families if possible.
 * @throws NetworkError (rejects) with 'port-in-use', 'no-permission', 'no-address' or 'no-socket'
 */
export async function openUdpSocket(
  deps: { readonly random: Random; readonly log: Logger; readonly bind?: BindSocket },
  options: UdpSocketOptions,
): Promise<UdpSocket> {
  const { bind = usualBinder(), log } = deps;
  let failure: unknown;
  for (const port of shuffledPorts(deps.random, options.ports)) {
    for (const family of families(options)) {
      try {
        return await RealUdpSocket.open({ bind, log }, options, { isIpv6: family === 6, port });
      } catch (error) {
        failure = error;
        if (!NO_IPV6.has(systemCodeOf(error) ?? '')) break;
      }
    }
    if (systemCodeOf(failure) !== 'EADDRINUSE') break;
  }
  throw bindError(failure, options);
}

/** Our addon where it is there and can; Node's own means otherwise. */
export function usualBinder(addon = nativeAddon()): BindSocket {
  const byNode = nodeBinder();
  if (addon === undefined) return byNode;
  const byAddon = nativeBinder(addon);
  return async (options, handlers) => {
    try {
      return await byAddon(options, handlers);
    } catch (error) {
      if (systemCodeOf(error) === 'EADDRINUSE') throw error;
      return byNode(options, handlers);
    }
  };
}

/** What to try, in this order. */
function families({ ipv6, bindAddress }: UdpSocketOptions): readonly (4 | 6)[] {
  if (bindAddress === undefined) return ipv6 ? [6, 4] : [4];
  return [Endpoint.of(bindAddress, 0)?.family ?? 6];
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

function bindError(cause: unknown, { ports, bindAddress }: UdpSocketOptions): NetworkError {
  const where = ports === 0 ? 'a UDP port' : `a UDP port from ${ports.first} to ${ports.last}`;
  switch (systemCodeOf(cause)) {
    case 'EADDRINUSE':
      return new NetworkError('port-in-use', `${where} is needed, but all are in use: choose other ports`, {
        cause,
      });
    case 'EACCES':
    case 'EPERM':
      return new NetworkError('no-permission', `not allowed to open ${where}: choose ports above 1023`, { cause });
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
    case 'ENOTFOUND':
      return new NetworkError('no-address', `${bindAddress} is not an address of this machine: choose one that is`, {
        cause,
      });
    default:
      return new NetworkError('no-socket', `cannot open ${where}: ${messageOf(cause)}`, { cause });
  }
}

interface Deps {
  readonly bind: BindSocket;
  readonly log: Logger;
}

type Place = Pick<BindOptions, 'isIpv6' | 'port'>;

class RealUdpSocket implements UdpSocket {
  readonly hasIpv6: boolean;
  readonly mtuTowards = mtuTowards;
  readonly #deps: Deps;
  readonly #options: UdpSocketOptions;
  readonly #fragmentsMade = fragmentCounter();
  #localPort: number;
  /** Undefined when it has died, until there is another one. */
  #socket: BoundSocket | undefined;
  #kind: SocketKind = 'node';
  #isReopening = false;
  #isOpen = true;
  #errors = 0;

  private constructor(deps: Deps, options: UdpSocketOptions, place: Place) {
    this.#deps = deps;
    this.#options = options;
    this.hasIpv6 = place.isIpv6;
    this.#localPort = place.port;
  }

  /** Rejects with the system's error. */
  static async open(deps: Deps, options: UdpSocketOptions, place: Place): Promise<UdpSocket> {
    const socket = new RealUdpSocket(deps, options, place);
    await socket.#bind();
    return socket;
  }

  get localPort(): number {
    return this.#localPort;
  }

  get kind(): SocketKind {
    return this.#kind;
  }

  get errors(): number {
    return this.#errors;
  }

  /** Of what the addon sends, the system cuts nothing whose size net-crypto tries: other programs' fragments say nothing. */
  fragmentsMade(): number {
    return this.#kind === 'native' ? 0 : this.#fragmentsMade();
  }

  send(packet: Buffer, destination: Endpoint, onRefused?: () => void): void {
    if (!this.#isOpen) return;
    // Node throws on port 0, which a hostile node can make us believe in.
    if (destination.port === 0 || (destination.family === 6 && !this.hasIpv6)) {
      this.#errors += 1;
      return;
    }
    if (this.#socket === undefined) {
      this.#errors += 1;
      void this.#reopen();
      return;
    }
    try {
      this.#socket.send(packet, destination, onRefused);
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

  async #bind(): Promise<void> {
    const { bind, log } = this.#deps;
    const { bindAddress: address, onDatagram } = this.#options;
    const socket = await bind(
      { isIpv6: this.hasIpv6, address, port: this.#localPort, log },
      {
        onDatagram,
        onError: (error, from) => this.#countError(error, from),
        onClosed: (from) => {
          if (from === this.#socket) this.#lose();
        },
      },
    );
    this.#localPort = socket.localPort;
    this.#kind = socket.kind;
    if (this.#isOpen) this.#socket = socket;
    else socket.close();
  }

  #abandon(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #lose(): void {
    this.#abandon();
    this.#deps.log.warn(`UDP socket on port ${this.localPort} failed; reopening`);
    void this.#reopen();
  }

  /** On the same port, which peers and mappings of NATs know; where that fails, with the next packet to be sent. */
  async #reopen(): Promise<void> {
    if (this.#isReopening || !this.#isOpen) return;
    this.#isReopening = true;
    try {
      await this.#bind();
    } catch (error) {
      this.#deps.log.debug(`cannot reopen the UDP socket on port ${this.localPort}: ${messageOf(error)}`);
    } finally {
      this.#isReopening = false;
    }
  }

  /** Unreachable networks, oversized packets, refusals told by ICMP: all of it is loss, which every layer above survives. */
  #countError(error: Error, socket: BoundSocket): void {
    this.#errors += 1;
    // What is told late of one that died says nothing about the one in its place.
    if (isDeath(systemCodeOf(error)) && this.#socket === socket) this.#lose();
  }
}
