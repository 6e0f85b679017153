/** UDP by Node: the only file that imports node:dgram. */
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import { messageOf, systemCodeOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import {
  type BindOptions,
  type BindSocket,
  type BoundSocket,
  type BoundSocketHandlers,
  BUFFER_SIZE,
  isSocketDead,
  logBufferSize,
} from './bound-socket.js';
import { interfaceMtu } from './interface-mtu.js';

/** Of a run of datagrams to one destination, each 64th has a callback for errors; a callback costs a tenth of sending. */
const SAMPLE = 64;
/** Bytes that may wait for the system; Node itself has no bound. Congestion control keeps far below it, a flood of lossy packets does not. */
const MAX_WAITING = 4 * 1024 * 1024;

/** Node's, except in tests. */
type CreateSocket = (options: SocketOptions) => Socket;

export function nodeBinder(create: CreateSocket = createSocket): BindSocket {
  return async (options, handlers) => new NodeUdp(await bind(create, options), options, handlers);
}

/**
 * Returns the MTU of the interface towards a destination, bytes of IP; undefined if unknown. Connecting a UDP socket sends
 * nothing: the system only chooses the source address.
 */
export async function mtuTowards({ family, address, port }: Endpoint): Promise<number | undefined> {
  try {
    const socket = create({ isIpv6: family === 6 }, createSocket);
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

/** All destinations are literal addresses. Node's lookup would delay each to the next tick. */
function create({ isIpv6 }: Pick<BindOptions, 'isIpv6'>, createSocket: CreateSocket): Socket {
  const family = isIpv6 ? 6 : 4;
  return createSocket({ type: `udp${family}`, lookup: (host, _options, callback) => callback(null, host, family) });
}

function bind(createSocket: CreateSocket, options: BindOptions): Promise<Socket> {
  const { port, address } = options;
  const socket = create(options, createSocket);
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

class NodeUdp implements BoundSocket {
  readonly kind = 'node';
  readonly localPort: number;
  readonly #socket: Socket;
  readonly #isIpv6: boolean;
  readonly #handlers: BoundSocketHandlers;
  /** The last source, kept because most datagrams come from where the one before came from. */
  #sourceAddress = '';
  #source: Endpoint | undefined;
  #destination: Endpoint | undefined;
  #destinationAddress = '';
  #unsampled = 0;
  #isFull = false;

  constructor(socket: Socket, { isIpv6, log }: BindOptions, handlers: BoundSocketHandlers) {
    this.#socket = socket;
    this.#isIpv6 = isIpv6;
    this.#handlers = handlers;
    this.localPort = socket.address().port;
    enlargeBuffers(socket, log);
    socket.on('message', this.#receive);
    socket.on('error', (error) => handlers.onError(error, this));
    // Not closed by `close`, which removes the listeners first.
    socket.on('close', () => handlers.onClosed(this));
  }

  send(packet: Buffer, destination: Endpoint, onRefused?: () => void): void {
    this.#unsampled += 1;
    let callback: ((error: Error | null) => void) | undefined;
    if (onRefused !== undefined || destination !== this.#destination || this.#unsampled >= SAMPLE) {
      this.#destination = destination;
      const isMapped = this.#isIpv6 && destination.family === 4;
      this.#destinationAddress = isMapped ? `::ffff:${destination.address}` : destination.address;
      this.#unsampled = 0;
      this.#isFull = this.#socket.getSendQueueSize() > MAX_WAITING;
      callback = (error) => {
        if (error === null) return;
        this.#handlers.onError(error, this);
        if (!isSocketDead(systemCodeOf(error))) onRefused?.();
      };
    }
    if (this.#isFull) {
      callback?.(null);
      return;
    }
    // Node keeps the data until the system takes it, so it needs its own copy.
    this.#socket.send(Buffer.from(packet), destination.port, this.#destinationAddress, callback);
  }

  /** Closes the socket, which may have failed already, and ignores its later errors. */
  close(): void {
    this.#socket.removeAllListeners();
    this.#socket.on('error', () => {});
    try {
      this.#socket.close();
    } catch {
      // Closed already.
    }
  }

  readonly #receive = (packet: Buffer, { address, port }: RemoteInfo): void => {
    let source = this.#source;
    if (source === undefined || source.port !== port || this.#sourceAddress !== address) {
      source = Endpoint.ofSource(address, port);
      this.#source = source;
      this.#sourceAddress = address;
    }
    this.#handlers.onDatagram(packet, source);
  };
}

function enlargeBuffers(socket: Socket, log: Logger): void {
  try {
    socket.setRecvBufferSize(BUFFER_SIZE);
    socket.setSendBufferSize(BUFFER_SIZE);
    logBufferSize(log, 'node', socket.getRecvBufferSize());
    // LAN discovery sends to broadcast addresses.
    socket.setBroadcast(true);
  } catch (error) {
    log.debug(`UDP socket options refused: ${messageOf(error)}`);
  }
}
