/**
 * A proxy as the local end of a tunnel (-R without a target): the program at the far end of the tunnel names its target by SOCKS or by
 * CONNECT, and the proxy connects it with that, from this machine.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.js';
import { ProxyDialogue, type ProxyRequest } from '../socks/proxy-dialogue.js';
import { HANDSHAKE_TIMEOUT, LINGER, NO_TARGET_NAMED } from '../socks/proxy-handshake.js';
import type { ProxyUsers } from '../socks/proxy-users.js';
import { type LocalEnd, socketEnd } from '../stream/local-end.js';
import { readChunks } from '../stream/shared-read-buffer.js';
import { explainReason, type Reason } from '../wire/reasons.js';
import { describeTarget, type Target } from '../wire/target.js';

export interface ProxyEndDeps {
  readonly clock: Clock;
  readonly users: ProxyUsers | undefined;
  /** Connects to a target of this machine. One of the handlers is called later, once. @returns a function that cancels */
  readonly dial: (
    target: Target,
    handlers: { onConnected(socket: Socket): void; onFailed(reason: Reason): void },
  ) => () => void;
  /** A program was refused. @param why for the log */
  readonly onRefused: (why: string) => void;
}

type Done = (error?: Error | null) => void;

export function proxyEnd(deps: ProxyEndDeps): LocalEnd {
  const stream = new ProxyStream(deps);
  // The tunnel listens for errors only while it is open.
  stream.on('error', () => {});
  return {
    source: stream,
    sink: stream,
    lingers: true,
    get localPort() {
      return stream.target?.localPort;
    },
    get remoteAddress() {
      return stream.target?.remoteAddress;
    },
    probe: (onIntact) => (stream.target === undefined ? onIntact() : stream.target.probe(onIntact)),
    reset: (reason) => {
      stream.target?.reset(reason);
      stream.destroy();
    },
    destroy: () => void stream.destroy(),
  };
}

/** What the tunnel reads and writes: first the dialogue with the program, then the bytes of the target. */
class ProxyStream extends Duplex {
  readonly #deps: ProxyEndDeps;
  readonly #dialogue: ProxyDialogue;
  #timer: Timer;
  #cancelDial = (): void => {};
  #socket: Socket | undefined;
  #target: LocalEnd | undefined;
  #isRefused = false;

  constructor(deps: ProxyEndDeps) {
    super();
    this.#deps = deps;
    this.#dialogue = new ProxyDialogue(deps.users);
    this.#timer = deps.clock.after(HANDSHAKE_TIMEOUT, () => this.#refuse(NO_TARGET_NAMED));
  }

  /** Undefined before it is connected. */
  get target(): LocalEnd | undefined {
    return this.#target;
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#socket !== undefined) this.#socket.write(bytes, done);
    else if (this.#isRefused) done();
    else this.#converse(bytes, done);
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: Done): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done);
  }

  override _final(done: Done): void {
    if (this.#socket !== undefined) this.#socket.end(done);
    else done(this.#isRefused ? null : new Error('it named no target'));
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#timer.cancel();
    this.#cancelDial();
    this.#socket?.destroy();
    done(error);
  }

  #converse(bytes: Buffer, done: Done): void {
    const { answer, result } = this.#dialogue.push(bytes);
    if (answer.length > 0) this.push(answer);
    if (result?.kind === 'connect') {
      this.#connect(result, done);
      return;
    }
    if (result?.kind === 'refused') this.#refuse(result.why);
    else if (result?.kind === 'associate') {
      // The program would send its datagrams to the peer's machine, where nothing takes them.
      this.push(result.refused('no-extension'));
      this.#refuse('it asked for UDP, which a port of the server does not carry');
    }
    done();
  }

  /** The next bytes of the program wait in the tunnel. */
  #connect({ target, granted, refused }: Extract<ProxyRequest, { kind: 'connect' }>, done: Done): void {
    this.#timer.cancel();
    this.#cancelDial = this.#deps.dial(target, {
      onConnected: (socket) => {
        this.#begin(socket);
        this.push(granted);
        this.#write(this.#dialogue.rest, done);
      },
      onFailed: (reason) => {
        this.push(refused(reason));
        this.#refuse(`${describeTarget(target)}: ${explainReason(reason)}`);
        done();
      },
    });
  }

  #write(bytes: Buffer, done: Done): void {
    if (bytes.length === 0) done();
    else this.#socket?.write(bytes, done);
  }

  #begin(socket: Socket): void {
    this.#cancelDial = () => {};
    this.#socket = socket;
    this.#target = socketEnd(socket);
    socket.on('error', (error) => this.destroy(error)).on('end', () => this.push(null));
    readChunks(socket, (chunk) => {
      // Its memory is used again for the next read.
      if (!this.push(Buffer.from(chunk))) socket.pause();
    });
  }

  /** Ends our direction after the last answer, and the connection when the program has had the time to read it. */
  #refuse(why: string): void {
    this.#timer.cancel();
    this.#isRefused = true;
    this.push(null);
    this.#timer = this.#deps.clock.after(LINGER, () => this.destroy());
    this.#deps.onRefused(why);
  }
}
