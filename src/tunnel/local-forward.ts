/** The client's role: a local port, each of whose connections becomes a tunnel. It listens whether the peer is there or not. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../base/clock.js';
import { CodedError, messageOf, systemCodeOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { describeForward, type ForwardSpec } from './forward-spec.js';
import { PROBE_INTERVAL, probeSocket, socketEnd } from './local-end.js';
import type { Opener } from './peer-opener.js';
import { explainReason } from './reasons.js';
import { describeTarget } from './target.js';

export class ListenError extends CodedError<'address-in-use' | 'not-permitted' | 'no-such-address' | 'failed'> {}

export class LocalForward {
  readonly spec: ForwardSpec;
  readonly #clock: Clock;
  readonly #opener: Opener;
  readonly #log: Logger;
  readonly #hasRoom: () => boolean;
  readonly #server: Server;
  /** Connections whose tunnel is not there yet. */
  readonly #pending = new Set<Socket>();
  #probing: Timer | undefined;
  #isFull = false;

  /** @param deps.hasRoom whether the process may have a connection more; asked before each */
  constructor(
    deps: {
      readonly clock: Clock;
      readonly opener: Opener;
      readonly log: Logger;
      readonly hasRoom: () => boolean;
    },
    options: { readonly spec: ForwardSpec },
  ) {
    this.spec = options.spec;
    this.#clock = deps.clock;
    this.#opener = deps.opener;
    this.#log = deps.log;
    this.#hasRoom = deps.hasRoom;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.#onConnection(socket));
  }

  /** The port it listens on; that of the spec, unless that is 0. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : this.spec.port;
  }

  /** @throws ListenError with what to do about it */
  listen(): Promise<void> {
    const { bind, port } = this.spec;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(this.spec, error)));
      this.#server.listen(bind === undefined ? { port } : { port, host: bind }, () => {
        // After this, errors are of single connections, such as a lack of descriptors.
        this.#server.removeAllListeners('error');
        this.#server.on('error', (error) => this.#log.warn(`port ${this.port}: ${error.message}`));
        this.#log.info(`listening: ${describeForward({ ...this.spec, port: this.port })}`);
        resolve();
      });
    });
  }

  /** Nobody reads from them yet, so that a program that has given up would keep its place. */
  #probe(): void {
    for (const socket of this.#pending) probeSocket(socket);
    if (this.#pending.size > 0) return;
    this.#probing?.cancel();
    this.#probing = undefined;
  }

  /** Stops listening and resets connections without a tunnel; tunnels that are open belong to their links and stay. */
  close(): void {
    this.#server.close();
    for (const socket of [...this.#pending]) socket.resetAndDestroy();
    this.#probing?.cancel();
  }

  /** Connections whose tunnel is not there yet. */
  get pending(): number {
    return this.#pending.size;
  }

  #onConnection(socket: Socket): void {
    // Beyond that the kernel would accept connections for us and close them, and the process could do nothing else either.
    if (!this.#hasRoom()) {
      this.#sayFull();
      socket.on('error', ignore).resetAndDestroy();
      return;
    }
    this.#isFull = false;
    this.#pending.add(socket);
    this.#probing ??= this.#clock.every(PROBE_INTERVAL, () => this.#probe());
    const onGone = (): void => {
      this.#pending.delete(socket);
      opening.cancel();
    };
    const opening = this.#opener.open(this.spec.target, {
      onAccepted: () => {
        this.#pending.delete(socket);
        socket.off('close', onGone).off('error', ignore);
        return socketEnd(socket);
      },
      onRefused: (reason) => {
        this.#log.warn(`${describeTarget(this.spec.target)}: ${explainReason(reason)}`);
        socket.resetAndDestroy();
      },
    });
    socket.on('error', ignore).once('close', onGone);
  }

  /** Once each time: who is refused tries again. */
  #sayFull(): void {
    const what = `${describeTarget(this.spec.target)}: no descriptor is left for another connection`;
    if (!this.#isFull) this.#log.warn(`${what}: close some, or raise the limit of open files (ulimit -n)`);
    this.#isFull = true;
  }
}

const ignore = (): void => {};

function listenError(spec: ForwardSpec, error: unknown): ListenError {
  const { bind, port } = spec;
  const cause = { cause: error };
  switch (systemCodeOf(error)) {
    case 'EADDRINUSE':
      return new ListenError('address-in-use', `port ${port} is in use by another program: choose another port`, cause);
    case 'EACCES':
      return new ListenError(
        'not-permitted',
        `port ${port} needs a right: choose one from 1024 up, or give the program CAP_NET_BIND_SERVICE` +
          ' (in a systemd unit: AmbientCapabilities=CAP_NET_BIND_SERVICE)',
        cause,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAFNOSUPPORT':
      return new ListenError('no-such-address', `this machine has no address ${bind}: leave it out, or use *`, cause);
    default:
      return new ListenError('failed', `cannot listen on ${describeForward(spec)}: ${messageOf(error)}`, cause);
  }
}
