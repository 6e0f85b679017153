/** Outgoing TCP connections of the real network. */
import { Socket } from 'node:net';
import type { Endpoint } from '../../base/endpoint.js';
import { NodeStream, STREAM_HIGH_WATER } from './node-stream.js';
import type { DialStream } from './stream-socket.js';

export const dialTcp: DialStream = (to, handlers) => {
  // `connect` of node:net takes no high-water mark, and Node's own of 16 KiB would stop a sender every 12 packets.
  const socket = new Socket({ highWaterMark: STREAM_HIGH_WATER } as ConstructorParameters<typeof Socket>[0]);
  const stream = new NodeStream(socket, to);
  stream.attach(handlers);
  socket.connect({ host: to.address, port: to.port, lookup: literalOnly(to) });
  return stream;
};

/** Our destinations are literal addresses: no name is ever looked up, which a proxy's user relies on. */
const literalOnly =
  (to: Endpoint) =>
  (_host: string, _options: object, callback: (error: null, address: string, family: number) => void): void =>
    callback(null, to.address, to.family);
