/** One UDP socket of the system, bound to a port: Node's (node-udp) or that of our addon (native-udp). */
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { DatagramHandler, SocketKind } from './datagram-socket.js';

/** The system's errors for a socket that no longer exists; some systems close all sockets when the machine sleeps. */
const DEAD = new Set(['EBADF', 'ENOTSOCK', 'EPIPE', 'ENOTCONN', 'ESHUTDOWN']);

export const isSocketDead = (code: string | undefined): boolean => code !== undefined && DEAD.has(code);

/** Bytes requested for each buffer, half a second at 10 MB/s; the kernel grants at most net.core.rmem_max. */
export const BUFFER_SIZE = 4 * 1024 * 1024;

/** @param granted bytes as the kernel reports them: twice the usable size */
export function logBufferSize(log: Logger, kind: SocketKind, granted: number): void {
  const isClamped = granted < 2 * BUFFER_SIZE;
  const advice = `: the kernel grants no more, and fast links lose packets with less than ${BUFFER_SIZE}; set net.core.rmem_max to that in a file of /etc/sysctl.d (the package contains sysctl.d/10-tuntox.conf), then run sysctl --system`;
  log.debug(`UDP by ${kind} sockets, receive buffer ${granted / 2} bytes${isClamped ? advice : ''}`);
}

export interface BoundSocket {
  readonly kind: SocketKind;
  readonly localPort: number;
  /**
   * Sends one datagram, which may be lost, to an address of a family that the socket has, and a port other than 0. The buffer
   * may change as soon as it returns.
   * @param onRefused called, later, if the system would not send it although the socket works
   * @throws if the socket was closed
   */
  send(packet: Buffer, destination: Endpoint, onRefused?: () => void): void;
  /** Closes it; no handler is called afterwards. */
  close(): void;
}

export interface BindOptions {
  readonly isIpv6: boolean;
  /** Undefined for all addresses of this machine. */
  readonly address: string | undefined;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly log: Logger;
}

export interface BoundSocketHandlers {
  readonly onDatagram: DatagramHandler;
  /** Something was not sent, or not received. */
  onError(error: Error, socket: BoundSocket): void;
  /** The socket was closed, and not by `close`. */
  onClosed(socket: BoundSocket): void;
}

/** Rejects with an error that has the system's code. */
export type BindSocket = (options: BindOptions, handlers: BoundSocketHandlers) => Promise<BoundSocket>;
