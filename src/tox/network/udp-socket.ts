/** The UDP socket of a stack: on a port of a range, for both address families. It is reopened when it fails. */
import { messageOf, systemCodeOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { type BindOptions, type BindSocket, type BoundSocket, isSocketDead } from './bound-socket.js';
import type { DatagramHandler, DatagramSocket, SocketKind } from './datagram-socket.js';
import { fragmentCounter } from './fragment-count.js';
import { nativeAddon } from './native-addon.js';
import { nativeBinder } from './native-udp.js';
import { isIpv6Missing, type NetworkError, openError } from './network-error.js';
import { mtuTowards, nodeBinder } from './node-udp.js';

export interface UdpSocketOptions {
  /** A literal address of this machine; undefined for all addresses. */
  readonly bindAddress?: string;
  /** The range from which a free port is chosen, ends included; 0 lets the system choose. */
  readonly ports: { readonly first: number; readonly last: number } | 0;
  /** Whether to use IPv6 if the machine has it. */
  readonly ipv6: boolean;
  readonly onDatagram: DatagramHandler;
}

export interface UdpSocket extends DatagramSocket {
  /** Errors that the system reported since the start; those of a fast stream to one destination are only sampled. */
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
  const { bind = defaultBinder(), log } = deps;
  let cause: unknown;
  for (const port of shuffledPorts(deps.random, options.ports)) {
    for (const family of families(options)) {
      try {
        return await RealUdpSocket.open({ bind, log }, options, { isIpv6: family === 6, port });
      } catch (error) {
        cause = error;
        if (!isIpv6Missing(error)) break;
      }
    }
    if (systemCodeOf(cause) !== 'EADDRINUSE') break;
  }
  throw bindError(cause, options);
}

/** Binds with our addon if that works, and with Node otherwise. */
export function defaultBinder(addon = nativeAddon()): BindSocket {
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

/** Returns the families to try, in this order. */
function families({ ipv6, bindAddress }: UdpSocketOptions): readonly (4 | 6)[] {
  if (bindAddress === undefined) return ipv6 ? [6, 4] : [4];
  return [Endpoint.of(bindAddress, 0)?.family ?? 6];
}

/** Returns the ports in random order: two peers on one machine, or one that restarts, should not compete for the first port. */
function shuffledPorts(random: Random, ports: UdpSocketOptions['ports']): number[] {
  if (ports === 0) return [0];
  if (ports.first < 1 || ports.last > 0xffff || ports.first > ports.last) {
    throw new RangeError(`openUdpSocket: invalid range of ports: ${ports.first} to ${ports.last}`);
  }
  const list = Array.from({ length: ports.last - ports.first + 1 }, (_, index) => ports.first + index);
  for (let at = list.length - 1; at > 0; at -= 1) {
    const other = random.below(at + 1);
    [list[at], list[other]] = [list[other] as number, list[at] as number];
  }
  return list;
}

function bindError(cause: unknown, { ports, bindAddress }: UdpSocketOptions): NetworkError {
  const what = ports === 0 ? 'a UDP port' : `a UDP port from ${ports.first} to ${ports.last}`;
  return openError(cause, {
    what,
    inUse: `${what} is needed, but all are in use: choose other ports`,
    notAllowed: 'choose ports above 1023',
    noAddress: `${bindAddress} is not an address of this machine: choose one that is`,
  });
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
  /** Undefined after it failed, until it is reopened. */
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

  /** The system does not fragment the sizes that net_crypto probes when the addon sends them, so the counter would show only other programs. */
  fragmentsMade(): number {
    return this.#kind === 'native' ? 0 : this.#fragmentsMade();
  }

  send(packet: Buffer, destination: Endpoint, onRefused?: () => void): void {
    if (!this.#isOpen) return;
    // Node throws on port 0, which a hostile node may report.
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
      // It was closed, and that has not been reported yet.
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

  /** Binds to the same port, which peers and NATs know. If that fails, the next packet to be sent tries again. */
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

  /** Unreachable networks, oversized packets and refusals by ICMP are losses, which every layer above survives. */
  #countError(error: Error, socket: BoundSocket): void {
    this.#errors += 1;
    // A late error of an earlier socket says nothing about the present one.
    if (isSocketDead(systemCodeOf(error)) && this.#socket === socket) this.#lose();
  }
}
