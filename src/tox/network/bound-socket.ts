/** One UDP socket of the system, bound to a port: Node's own (node-udp) or that of our addon (native-udp). */
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { DatagramHandler, SocketKind } from './datagram-socket.js';

/** What the system says of a socket that is no more; some end all of them when the machine sleeps. */
const DEAD = new Set(['EBADF', 'ENOTSOCK', 'EPIPE', 'ENOTCONN', 'ESHUTDOWN']);

export const isDeath = (code: string | undefined): boolean => code !== undefined && DEAD.has(code);

/** Bytes asked for, half a second at 10 MB/s; the kernel grants what net.core.rmem_max allows. */
export const BUFFER_SIZE = 4 * 1024 * 1024;

/** @param granted as the kernel tells it: twice what it is */
export function noteBuffer(log: Logger, kind: SocketKind, granted: number): void {
  const isClamped = granted < 2 * BUFFER_SIZE;
  const advice = `: the kernel allows no more, and fast links lose packets with less than ${BUFFER_SIZE}; allow as much by net.core.rmem_max in a file of /etc/sysctl.d (the package brings sysctl.d/10-tuntox.conf), then sysctl --system`;
  log.debug(`UDP by ${kind} sockets, receive buffer ${granted / 2} bytes${isClamped ? advice : ''}`);
}

export interface BoundSocket {
  readonly kind: SocketKind;
  readonly localPort: number;
  /**
   * Sends, or loses, one datagram to an address of a family that the socket has, and a port that is not 0. The buffer may change as
   * soon as it returns.
   * @param onRefused called, later, where the system would not send it though the socket lives
   * @throws where the socket has been closed
   */
  send(packet: Buffer, destination: Endpoint, onRefused?: () => void): void;
  /** Nothing is told afterwards. */
  close(): void;
}

export interface BindOptions {
  readonly isIpv6: boolean;
  /** Every address of this machine when left out. */
  readonly address: string | undefined;
  /** 0: the system chooses. */
  readonly port: number;
  readonly log: Logger;
}

export interface BoundSocketHandlers {
  readonly onDatagram: DatagramHandler;
  /** Something was not sent, or not received. */
  onError(error: Error, socket: BoundSocket): void;
  /** Somebody else has closed it. */
  onClosed(socket: BoundSocket): void;
}

/** Rejects with an error that has the system's code. */
export type BindSocket = (options: BindOptions, handlers: BoundSocketHandlers) => Promise<BoundSocket>;
