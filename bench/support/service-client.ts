/** A client of the service in service.ts, which connects to a local port of a tunnel and measures. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { content } from '../../test/support/exchange.js';
import { DIGEST_LENGTH, Digest, GREETING, sendAll } from './service-protocol.js';

/** ms without a byte: a guard against hanging. */
const STALL = 20_000;

export type Direction = 'down' | 'up';

export interface Transfer {
  readonly bytes: number;
  readonly milliseconds: number;
  /** SHA-256 of what was sent and of what arrived, computed by the sender and by the receiver. */
  readonly sentDigest: string;
  readonly receivedDigest: string;
}

export interface TransferOptions {
  readonly hasDigest?: boolean;
  readonly onProgress?: (bytes: number) => void;
  /** Where the port is, if not at 127.0.0.1. */
  readonly host?: string;
}

export const megabytesPerSecond = ({ bytes, milliseconds }: Transfer): number => bytes / 1000 / milliseconds;

/** Waits for bytes of a connection in order; nothing else may read it. */
class Visit {
  readonly socket: Socket;
  readonly #input: AsyncIterator<Buffer, undefined>;
  #left: Buffer = Buffer.alloc(0);

  constructor(port: number, host = '127.0.0.1') {
    this.socket = connect({ port, host, noDelay: true });
    this.socket.setTimeout(STALL, () => this.socket.destroy(new Error(`port ${port}: nothing came for ${STALL} ms`)));
    this.#input = this.socket[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  }

  async next(): Promise<Buffer> {
    const kept = this.#left;
    this.#left = Buffer.alloc(0);
    if (kept.length > 0) return kept;
    const { value } = await this.#input.next();
    if (value === undefined) throw new Error('the connection ended too early');
    return value;
  }

  /** Gives back what was too much. */
  unread(bytes: Buffer): void {
    this.#left = bytes;
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0; ) {
      const bytes = await this.next();
      parts.push(bytes.subarray(0, missing));
      this.unread(bytes.subarray(Math.min(missing, bytes.length)));
      missing -= Math.min(missing, bytes.length);
    }
    return Buffer.concat(parts);
  }

  async greeting(): Promise<void> {
    const greeting = (await this.exactly(GREETING.length)).toString('latin1');
    if (greeting !== GREETING) throw new Error(`the service greets with ${JSON.stringify(greeting)}`);
  }
}

/** Connects, is greeted, does the work, and hangs up however it ends. */
async function during<T>(port: number, work: (visit: Visit) => Promise<T>, host?: string): Promise<T> {
  const visit = new Visit(port, host);
  try {
    await visit.greeting();
    return await work(visit);
  } finally {
    visit.socket.destroy();
  }
}

/** Connects, is greeted, and stays. @returns what hangs up */
export async function stay(port: number, host?: string): Promise<() => void> {
  const visit = new Visit(port, host);
  await visit.greeting();
  visit.socket.setTimeout(0);
  return () => visit.socket.destroy();
}

/** Connects and resolves with the first bytes of the service; rejects when the connection ends before. */
export const greet = (port: number, host?: string): Promise<void> => during(port, async () => {}, host);

/** ms from connect() to the answer to an order that is sent at once, as the programs of HTTP, TLS and PostgreSQL do. */
export async function firstAnswer(port: number, host?: string): Promise<number> {
  const started = performance.now();
  const visit = new Visit(port, host);
  try {
    visit.socket.write('down 1 plain\n');
    await visit.exactly(GREETING.length + 1);
    return performance.now() - started;
  } finally {
    visit.socket.destroy();
  }
}

/**
 * Moves bytes one way; the time is from the order to the last byte, and on the way up to the receiver's answer.
 * `onProgress` gets the bytes sent or received so far.
 */
export function transfer(
  port: number,
  direction: Direction,
  bytes: number,
  options: TransferOptions = {},
): Promise<Transfer> {
  const { hasDigest = true, onProgress, host } = options;
  const work = async (visit: Visit): Promise<Transfer> => {
    const own = new Digest(hasDigest);
    const theirs = async (): Promise<string> => (await visit.exactly(DIGEST_LENGTH)).toString('latin1');
    const started = performance.now();
    const passed = (): number => performance.now() - started;
    visit.socket.write(`${direction} ${bytes} ${hasDigest ? 'sha256' : 'plain'}\n`);
    if (direction === 'down') {
      await receive(visit, bytes, own, onProgress);
      const milliseconds = passed();
      return { bytes, milliseconds, sentDigest: await theirs(), receivedDigest: own.text() };
    }
    await sendAll(visit.socket, counted(content('up', bytes), onProgress), own);
    const receivedDigest = await theirs();
    return { bytes, milliseconds: passed(), sentDigest: own.text(), receivedDigest };
  };
  return during(port, work, host);
}

async function receive(visit: Visit, bytes: number, digest: Digest, onProgress?: (sum: number) => void): Promise<void> {
  for (let missing = bytes; missing > 0; ) {
    const chunk = await visit.next();
    const data = chunk.subarray(0, missing);
    visit.unread(chunk.subarray(data.length));
    digest.add(data);
    missing -= data.length;
    onProgress?.(bytes - missing);
  }
}

function* counted(chunks: Iterable<Buffer>, onProgress?: (bytes: number) => void): Generator<Buffer> {
  let sum = 0;
  for (const chunk of chunks) {
    yield chunk;
    sum += chunk.length;
    onProgress?.(sum);
  }
}

const MESSAGE = Buffer.alloc(64, 'x');

/**
 * ms from a small write to its echo, one after the other through one connection.
 * @param options.pause ms between an echo and the next write
 */
export function roundTrips(
  port: number,
  count: number,
  { host, pause = 0 }: { readonly host?: string; readonly pause?: number } = {},
): Promise<number[]> {
  const work = async (visit: Visit): Promise<number[]> => {
    visit.socket.write('echo\n');
    const times: number[] = [];
    for (let round = 0; round < count; round += 1) {
      if (pause > 0) await sleep(pause);
      const started = performance.now();
      visit.socket.write(MESSAGE);
      await visit.exactly(MESSAGE.length);
      times.push(performance.now() - started);
    }
    return times;
  };
  return during(port, work, host);
}
