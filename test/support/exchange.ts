/**
 * A TCP service that takes and gives any number of bytes at once, and its client: together they tell whether a tunnel
 * delivers every byte, in order, to the right connection.
 *
 *     client:  SEED UP DOWN \n, then UP bytes
 *     service: DOWN bytes, and when all UP bytes are there their SHA-256 in hexadecimal; then it ends
 *
 * The client ends only after that: upstream's end of a tunnel ends both directions.
 */
import { createCipheriv, createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { messageOf } from '../../src/base/coded-error.js';

const CHUNK = 64 * 1024;
const ZEROS = Buffer.alloc(CHUNK);
/** SHA-256 in hexadecimal. */
const DIGEST_LENGTH = 64;
/** ms without a byte after which a transfer has stalled; libtoxcore's slowest start moves something every second. */
const STALL = 90_000;

export interface Exchange {
  /** Letters and digits; other bytes for each seed. */
  readonly seed: string;
  /** Bytes from the client to the service, and back. */
  readonly up: number;
  readonly down: number;
}

/** `length` bytes, no two stretches of which are alike, so that what is lost, doubled, swapped or strange is noticed. */
export function* content(seed: string, length: number): Generator<Buffer> {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  for (let left = length; left > 0; left -= CHUNK) yield cipher.update(ZEROS.subarray(0, Math.min(left, CHUNK)));
}

export function digestOf(seed: string, length: number): string {
  const hash = createHash('sha256');
  for (const chunk of content(seed, length)) hash.update(chunk);
  return hash.digest('hex');
}

/** Ends early and without an error if the connection breaks: the reading side reports that. */
async function write(socket: Socket, seed: string, length: number): Promise<void> {
  for (const chunk of content(seed, length)) {
    if (socket.destroyed) return;
    if (!socket.write(chunk)) await once(socket, 'drain').catch(() => {});
  }
}

/** Starts the service on a free port of 127.0.0.1. */
export async function startExchangeService(port = 0): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    serve(socket).catch(() => socket.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

async function serve(socket: Socket): Promise<void> {
  const input = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  const next = async (): Promise<Buffer> => {
    const { value } = await input.next();
    if (value === undefined) throw new Error('ended too early');
    return value;
  };
  let head = await next();
  while (!head.includes('\n')) head = Buffer.concat([head, await next()]);
  const end = head.indexOf('\n');
  const [seed, up, down] = head.subarray(0, end).toString('latin1').split(' ') as [string, string, string];
  const sent = write(socket, `${seed} down`, Number(down));
  const hash = createHash('sha256');
  let bytes = head.subarray(end + 1);
  let missing = Number(up) - bytes.length;
  hash.update(bytes);
  while (missing > 0) {
    bytes = await next();
    missing -= bytes.length;
    hash.update(bytes);
  }
  await sent;
  socket.end(hash.digest('hex'));
  await input.next();
}

/** The request line of an exchange, for a client that is not a socket. */
export const requestLine = ({ seed, up, down }: Exchange): string => `${seed} ${up} ${down}\n`;

/** Does one exchange through a local port. @returns its duration in ms @throws Error (rejects) when a byte is missing or wrong */
export async function exchange(port: number, what: Exchange): Promise<number> {
  const started = performance.now();
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const name = `exchange ${what.seed} (${what.up} up, ${what.down} down)`;
  socket.setTimeout(STALL, () => socket.destroy(new Error(`${name}: stalled`)));
  socket.write(requestLine(what));
  const sent = write(socket, `${what.seed} up`, what.up);
  const down: Hash = createHash('sha256');
  let got = 0;
  let digest = '';
  try {
    for await (const bytes of socket as AsyncIterable<Buffer>) {
      const data = bytes.subarray(0, Math.max(0, what.down - got));
      down.update(data);
      digest += bytes.subarray(data.length).toString('latin1');
      got += data.length;
      // Read on: what is too much must be noticed too.
    }
  } catch (cause) {
    throw new Error(`${name}: broken off after ${got} bytes down: ${messageOf(cause)}`, { cause });
  }
  await sent;
  if (got !== what.down) throw new Error(`${name}: ended after ${got} bytes down`);
  if (down.digest('hex') !== digestOf(`${what.seed} down`, what.down)) throw new Error(`${name}: wrong bytes down`);
  if (digest.length !== DIGEST_LENGTH)
    throw new Error(`${name}: ${digest.length} bytes at the end instead of a digest`);
  if (digest !== digestOf(`${what.seed} up`, what.up)) throw new Error(`${name}: wrong bytes up`);
  return performance.now() - started;
}

/** What a service answers to `requestLine`, for small exchanges without upload. */
export function answerTo({ seed, down }: Exchange): string {
  return Buffer.concat([...content(`${seed} down`, down)]).toString('latin1') + digestOf(`${seed} up`, 0);
}
