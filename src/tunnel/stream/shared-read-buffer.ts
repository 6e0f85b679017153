/**
 * Connections that are made here are all read into one buffer, because what is read is cut into frames at once. By default Node makes a
 * buffer of 64 KiB for each read, and after a pause reads once more into one that then waits: with many tunnels these buffers grow old,
 * and the whole heap has to be collected several times a second to free them. For accepted connections Node has no such option.
 */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { Readable } from 'node:stream';

/** Bytes of one read: as many as Node reads by default. */
const READ_SIZE = 64 * 1024;
let shared: Buffer | undefined;

interface Reads {
  onChunk?: (chunk: Buffer) => void;
}

const READS = new WeakMap<Readable, Reads>();

/** Connects. The socket is paused; only `readChunks` gets its bytes. */
export function connectReading(options: TcpNetConnectOpts): Socket {
  shared ??= Buffer.allocUnsafeSlow(READ_SIZE);
  const buffer = shared;
  const reads: Reads = {};
  const callback = (length: number): boolean => {
    reads.onChunk?.(buffer.subarray(0, length));
    return true;
  };
  const socket = connect({ ...options, onread: { buffer, callback } }).pause();
  READS.set(socket, reads);
  return socket;
}

/** Calls back with all bytes of a stream from now on. @param onChunk gets a chunk that is valid during the call */
export function readChunks(source: Readable, onChunk: (chunk: Buffer) => void): void {
  const reads = READS.get(source);
  if (reads === undefined) source.on('data', onChunk);
  else reads.onChunk = onChunk;
}
