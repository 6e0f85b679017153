/** UDP sockets of forwards and targets, by node:dgram. Addresses are literal; what the system does not take at once is bounded. */
import { createSocket, type Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { systemCodeOf } from '../../base/coded-error.js';
import { isIPv6 } from '../../base/ip-address.js';

/** Bytes that may wait for the system; more is lost. */
const MAX_WAITING = 1024 * 1024;
/** Bytes of the system's buffers: some ms of a fast stream, while this process is busy. The system may give less. */
const BUFFER_SIZE = 2 * 1024 * 1024;

function create(address: string | undefined): Socket {
  const family = address === undefined || isIPv6(address) ? 6 : 4;
  const socket = createSocket({ type: `udp${family}`, lookup: (host, _options, done) => done(null, host, family) });
  socket.once('listening', () => {
    try {
      socket.setRecvBufferSize(BUFFER_SIZE);
      socket.setSendBufferSize(BUFFER_SIZE);
    } catch {
      // The system's own sizes will do.
    }
  });
  return socket;
}

const hasRoom = (socket: Socket): boolean => socket.getSendQueueSize() < MAX_WAITING;

export interface UdpAddress {
  /** Literal. */
  readonly address: string;
  readonly port: number;
}

interface ListenerEvents {
  error: [error: Error];
}

/** A socket for programs of any address, as a server of TCP for `HostListener`. */
export class UdpListener extends EventEmitter<ListenerEvents> {
  readonly #onDatagram: (bytes: Buffer, from: UdpAddress) => void;
  #socket: Socket | undefined;

  constructor(onDatagram: (bytes: Buffer, from: UdpAddress) => void) {
    super();
    this.#onDatagram = onDatagram;
  }

  /** @param at.host literal; undefined: all addresses of this machine */
  listen({ port, host }: { readonly port: number; readonly host?: string }, onListening: () => void): void {
    const socket = create(host);
    this.#socket = socket;
    socket.once('error', (error) => {
      this.close();
      // A machine without IPv6.
      if (host === undefined && systemCodeOf(error) === 'EAFNOSUPPORT')
        this.listen({ port, host: '0.0.0.0' }, onListening);
      else this.emit('error', error);
    });
    socket.bind({ port, exclusive: true, ...(host === undefined ? {} : { address: host }) }, () => {
      // Later errors are about single datagrams, which are lost.
      socket.removeAllListeners('error').on('error', () => {});
      socket.on('message', this.#onDatagram);
      onListening();
    });
  }

  address(): { readonly port: number } | null {
    return this.#socket?.address() ?? null;
  }

  send(bytes: Buffer, { address, port }: UdpAddress): void {
    // Port 0 is none (RFC 768), which anyone can write into a datagram, and Node throws.
    if (this.#socket !== undefined && port !== 0 && hasRoom(this.#socket)) this.#socket.send(bytes, port, address);
  }

  close(): void {
    if (this.#socket !== undefined) closeSocket(this.#socket);
    this.#socket = undefined;
  }
}

/** A socket for one address: nothing else that arrives is seen. */
export class ConnectedUdp {
  readonly #socket: Socket;
  readonly #onError: (error: Error) => void;
  #isClosed = false;

  /**
   * @param to.address literal
   * @param to.from a literal address of this machine, and a port that it should have if it is free; undefined: the system chooses
   * @param handlers.onError also later, when ICMP reports that a datagram was refused
   */
  constructor(
    to: UdpAddress & { readonly from?: UdpAddress | undefined },
    handlers: { onConnected(): void; onDatagram(bytes: Buffer): void; onError(error: Error): void },
  ) {
    const socket = create(to.address);
    this.#socket = socket;
    this.#onError = (error) => this.#isClosed || handlers.onError(error);
    socket.on('message', (bytes) => this.#isClosed || handlers.onDatagram(bytes));
    const connect = (): void => {
      if (this.#isClosed) return;
      const onConnected = (error?: Error): void => {
        if (error !== undefined) this.#onError(error);
        else if (!this.#isClosed) handlers.onConnected();
      };
      // The types lack the error, which Node passes.
      socket.connect(to.port, to.address, onConnected as () => void);
    };
    // Later, so that no handler is called before the caller has the socket.
    queueMicrotask(() => this.#begin(to.from, connect));
  }

  #begin(from: UdpAddress | undefined, connect: () => void): void {
    const socket = this.#socket;
    if (this.#isClosed) return;
    if (from === undefined) {
      socket.on('error', this.#onError);
      connect();
      return;
    }
    const onTaken = (error: Error): void => {
      socket.on('error', this.#onError);
      if (from.port === 0) this.#onError(error);
      else socket.bind({ address: from.address, exclusive: true });
    };
    socket.once('error', onTaken).once('listening', () => {
      socket.off('error', onTaken).off('error', this.#onError).on('error', this.#onError);
      connect();
    });
    socket.bind({ ...from, exclusive: true });
  }

  get localPort(): number | undefined {
    return this.#isClosed ? undefined : this.#socket.address().port;
  }

  send(bytes: Buffer): void {
    if (this.#isClosed || !hasRoom(this.#socket)) return;
    this.#socket.send(bytes, (error) => {
      if (error && systemCodeOf(error) === 'ECONNREFUSED') this.#onError(error);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSocket(this.#socket);
  }
}

function closeSocket(socket: Socket): void {
  socket.removeAllListeners('error').on('error', () => {});
  try {
    socket.close();
  } catch {
    // Closed already.
  }
}
