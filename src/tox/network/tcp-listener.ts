/** Incoming TCP connections of the real network. */
import { createServer, type Server } from 'node:net';
import { messageOf, systemCodeOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import { NetworkError } from './network-error.js';
import { NodeStream, STREAM_HIGH_WATER } from './node-stream.js';
import type { AcceptStream, StreamListener } from './stream-socket.js';

/** What a machine without IPv6 says. */
const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT', 'EINVAL']);

export interface TcpListenerOptions {
  /** 1 to 65535; 0 lets the system choose. */
  readonly port: number;
  readonly ipv6: boolean;
  /** A literal address of this machine; every address of it when left out. */
  readonly bindAddress?: string;
}

/** @throws NetworkError (rejects) with 'port-in-use', 'no-permission', 'no-address' or 'no-socket' */
export async function listenTcp(accept: AcceptStream, options: TcpListenerOptions): Promise<StreamListener> {
  const hosts =
    options.bindAddress === undefined ? (options.ipv6 ? ['::', '0.0.0.0'] : ['0.0.0.0']) : [options.bindAddress];
  let failure: unknown;
  for (const host of hosts) {
    try {
      return listenerOf(await bind(accept, host, options.port));
    } catch (error) {
      failure = error;
      if (!NO_IPV6.has(systemCodeOf(error) ?? '')) break;
    }
  }
  throw listenError(failure, options.port);
}

function bind(accept: AcceptStream, host: string, port: number): Promise<Server> {
  const server = createServer({ highWaterMark: STREAM_HIGH_WATER }, (socket) => {
    const stream = new NodeStream(socket, Endpoint.ofSource(socket.remoteAddress ?? '', socket.remotePort ?? 0));
    const handlers = accept(stream);
    if (handlers === undefined) stream.destroy();
    else stream.attach(handlers);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.removeListener('error', reject);
      // Out of descriptors for a while: who connects then is lost, the listener goes on.
      server.on('error', () => {});
      resolve(server);
    });
  });
}

function listenerOf(server: Server): StreamListener {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, close: () => void server.close() };
}

function listenError(cause: unknown, port: number): NetworkError {
  switch (systemCodeOf(cause)) {
    case 'EADDRINUSE':
      return new NetworkError('port-in-use', `TCP port ${port} is in use: choose another one for the relay`, { cause });
    case 'EACCES':
    case 'EPERM':
      return new NetworkError('no-permission', `not allowed to open TCP port ${port}: choose one above 1023`, {
        cause,
      });
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return new NetworkError('no-address', `cannot open TCP port ${port} on that address`, { cause });
    default:
      return new NetworkError('no-socket', `cannot open TCP port ${port}: ${messageOf(cause)}`, { cause });
  }
}
