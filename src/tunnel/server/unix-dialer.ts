/** Connects to Unix sockets of this machine. */
import { connect, type Socket } from 'node:net';
import type { Clock, Timer } from '../../base/clock.js';
import { systemCodeOf } from '../../base/coded-error.js';
import type { Target } from '../wire/target.js';
import { CONNECT_TIMEOUT, type Dialer, type DialHandlers, reasonOf } from './dialer.js';

/** ms until the next attempt while the queue of the program is full: the kernel does not wait for it as with TCP. */
const RETRY_INTERVAL = 50;
const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'no program listens there',
  EACCES: 'the user of this process may not use the socket: add it to the group of the socket',
  EPROTOTYPE: 'it is no stream socket',
};

/** @param path absolute */
export type ConnectUnix = (path: string) => Socket;

const connectUnix: ConnectUnix = (path) => connect({ path, allowHalfOpen: true });

export class UnixDialer implements Dialer {
  readonly #clock: Clock;
  readonly #connect: ConnectUnix;

  constructor(clock: Clock, deps: { readonly connect?: ConnectUnix } = {}) {
    this.#clock = clock;
    this.#connect = deps.connect ?? connectUnix;
  }

  dial(_peerId: string, { host: path }: Target, handlers: DialHandlers): () => void {
    const attempt = new Attempt({ clock: this.#clock, connect: this.#connect, handlers }, path);
    return () => attempt.cancel();
  }
}

interface AttemptDeps {
  readonly clock: Clock;
  readonly connect: ConnectUnix;
  readonly handlers: DialHandlers;
}

class Attempt {
  readonly #deps: AttemptDeps;
  readonly #path: string;
  readonly #timeout: Timer;
  #retry: Timer | undefined;
  #socket: Socket | undefined;

  constructor(deps: AttemptDeps, path: string) {
    this.#deps = deps;
    this.#path = path;
    const isAllowed = deps.handlers.mayConnect(path);
    this.#timeout = deps.clock.after(isAllowed ? CONNECT_TIMEOUT : 0, () => {
      this.cancel();
      deps.handlers.onFailed(isAllowed ? 'timeout' : 'not-allowed');
    });
    if (isAllowed) this.#connect();
  }

  cancel(): void {
    this.#timeout.cancel();
    this.#retry?.cancel();
    this.#socket
      ?.removeAllListeners('connect')
      .removeAllListeners('error')
      .on('error', () => {})
      .destroy();
  }

  #connect(): void {
    const { clock, connect, handlers } = this.#deps;
    const socket = connect(this.#path);
    this.#socket = socket;
    const onError = (error: unknown): void => {
      const code = systemCodeOf(error) ?? '';
      if (code === 'EAGAIN') {
        this.#retry = clock.after(RETRY_INTERVAL, () => this.#connect());
        return;
      }
      this.cancel();
      handlers.onFailed(
        code === 'ENOENT' || code === 'EPROTOTYPE' ? 'connection-refused' : reasonOf(error),
        code,
        ADVICE[code],
      );
    };
    socket.once('error', onError).once('connect', () => {
      this.#timeout.cancel();
      socket.off('error', onError);
      handlers.onConnected(socket, this.#path);
    });
  }
}
