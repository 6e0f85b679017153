/** The client's role: a local port, each of whose connections becomes a tunnel. It listens whether the peer is there or not. */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../base/clock.js';
import type { FloodLog } from '../../base/flood-log.js';
import type { Logger } from '../../base/logger.js';
import { PROBE_INTERVAL, probeSocket, socketEnd } from '../stream/local-end.js';
import { explainReason } from '../wire/reasons.js';
import { describeTarget } from '../wire/target.js';
import { describeForward, type ForwardSpec } from './forward-spec.js';
import { LocalListener } from './local-listener.js';
import type { Opener } from './peer-opener.js';

export class LocalForward {
  readonly spec: ForwardSpec;
  readonly #clock: Clock;
  readonly #opener: Opener;
  readonly #log: Logger;
  readonly #said: FloodLog;
  readonly #hasRoom: () => boolean;
  readonly #listener: LocalListener;
  /** Connections whose tunnel is not there yet. */
  readonly #pending = new Set<Socket>();
  #probing: Timer | undefined;
  #isFull = false;

  /**
   * @param deps.said what is told of connections: every user of the machine may make as many as they like
   * @param deps.hasRoom whether the process may have a connection more; asked before each
   */
  constructor(
    deps: {
      readonly clock: Clock;
      readonly opener: Opener;
      readonly log: Logger;
      readonly said: FloodLog;
      readonly hasRoom: () => boolean;
    },
    options: { readonly spec: ForwardSpec },
  ) {
    this.spec = options.spec;
    this.#clock = deps.clock;
    this.#opener = deps.opener;
    this.#log = deps.log;
    this.#said = deps.said;
    this.#hasRoom = deps.hasRoom;
    this.#listener = new LocalListener(deps, (socket) => this.#onConnection(socket));
  }

  /** The port it listens on; that of the spec, unless that is 0. */
  get port(): number {
    return this.#listener.port ?? this.spec.port;
  }

  /** @throws ListenError with what to do about it */
  async listen(): Promise<void> {
    await this.#listener.listen(this.spec.bind, this.spec.port);
    this.#log.info(`listening: ${describeForward({ ...this.spec, port: this.port })}`);
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
    this.#listener.close();
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
        const name = describeTarget(this.spec.target);
        const [source, text] = [describeForward(this.spec), `${name}: ${explainReason(reason)}`];
        this.#said.say({ source, name, kind: 'connection refused', level: 'warn', text });
        socket.resetAndDestroy();
      },
    });
    socket.on('error', ignore).once('close', onGone);
  }

  /** Once each time: who is refused tries again. */
  #sayFull(): void {
    const what = `${describeTarget(this.spec.target)}: no file descriptor is left for another connection`;
    if (!this.#isFull) this.#log.warn(`${what}: close some, or raise the limit of open files (ulimit -n)`);
    this.#isFull = true;
  }
}

const ignore = (): void => {};
