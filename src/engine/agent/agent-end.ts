/** A client of the agent as the local end of a tunnel: raw bytes come from it, and chunks go to it (agent/chunks). */
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { encodeChunkHeader, encodeErrorChunk } from '../../agent/chunks.js';
import type { Clock } from '../../base/clock.js';
import { type LocalEnd, probeSocket } from '../../tunnel/stream/local-end.js';
import { explainReason, type Reason } from '../../tunnel/wire/reasons.js';

/** ms for a client to take what comes before an error, and the error. */
const LINGER = 10_000;

export function agentEnd(clock: Clock, socket: Socket): LocalEnd {
  const sink = new ChunkSink(socket);
  return {
    source: socket,
    sink,
    lingers: false,
    localPort: undefined,
    remoteAddress: undefined,
    probe: (onIntact) => probeSocket(socket, onIntact),
    reset: (reason: Reason) => {
      sink.fail({ event: 'error', code: reason, message: explainReason(reason) });
      lingerOn(clock, socket);
    },
    destroy: () => void socket.destroy(),
  };
}

/** Frees the connection when its client has taken what comes last, or after a while. */
export function lingerOn(clock: Clock, socket: Socket, time = LINGER): void {
  const linger = clock.after(time, () => socket.destroy());
  socket.once('close', () => linger.cancel());
}

/** Its end and its failure are chunks, so that the client knows them from the death of this process. */
export class ChunkSink extends Writable {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    // The tunnel listens for errors only while it is open.
    this.on('error', () => {});
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send([bytes], bytes.length, done);
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const all = chunks.map(({ chunk }) => chunk);
    this.#send(
      all,
      all.reduce((sum, { length }) => sum + length, 0),
      done,
    );
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(encodeChunkHeader(0), done);
  }

  /** Tells the client why the tunnel broke, after what is written already. */
  fail(event: object): void {
    if (!this.#socket.writableEnded) this.#socket.end(encodeErrorChunk(event));
    this.destroy();
  }

  #send(chunks: readonly Buffer[], length: number, done: (error?: Error | null) => void): void {
    this.#socket.cork();
    this.#socket.write(encodeChunkHeader(length));
    const last = chunks.length - 1;
    for (const [index, chunk] of chunks.entries()) {
      if (index === last) this.#socket.write(chunk, done);
      else this.#socket.write(chunk);
    }
    this.#socket.uncork();
  }
}
