/** Connecting to targets: names are resolved here, IPv4 and IPv6 are tried side by side, nothing ever blocks. */
import { connect, type LookupFunction, type Socket } from 'node:net';
import type { Clock } from '../base/clock.js';
import { systemCodeOf } from '../base/coded-error.js';
import { NameLookup } from './name-lookup.js';
import type { Reason } from './reasons.js';
import { bareHost, type Target } from './target.js';

/** ms, for resolving and connecting together: below the time that a peer waits for its answer. */
const CONNECT_TIMEOUT = 12_000;

export interface DialHandlers {
  /** The socket has `allowHalfOpen` and has not been read from. */
  onConnected(socket: Socket): void;
  onFailed(reason: Reason): void;
}

export interface Dialling {
  cancel(): void;
}

export interface Dialer {
  /**
   * One of the handlers is called, once, later, unless it is cancelled before.
   * @param peerId who asked for it
   */
  dial(peerId: string, target: Target, handlers: DialHandlers): Dialling;
}

const REASON_OF_CODE: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: 'connection-refused',
  ECONNRESET: 'connection-refused',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'name-not-found',
  EAI_AGAIN: 'name-not-found',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EINVAL: 'unreachable',
};

export class TcpDialer implements Dialer {
  readonly #clock: Clock;
  readonly #names: NameLookup;

  constructor(clock: Clock, names = new NameLookup(clock)) {
    this.#clock = clock;
    this.#names = names;
  }

  dial(peerId: string, target: Target, handlers: DialHandlers): Dialling {
    let cancelLookup = (): void => {};
    const lookup: LookupFunction = (name, _options, done) => {
      cancelLookup = this.#names.lookup(peerId, name, done);
    };
    const { port } = target;
    const socket = connect({ host: bareHost(target.host), port, lookup, allowHalfOpen: true, autoSelectFamily: true });
    const cancel = (): void => {
      timeout.cancel();
      cancelLookup();
      socket.off('connect', succeed).off('error', onError).on('error', ignore).destroy();
    };
    const fail = (reason: Reason): void => {
      cancel();
      handlers.onFailed(reason);
    };
    const succeed = (): void => {
      timeout.cancel();
      socket.off('error', onError);
      handlers.onConnected(socket);
    };
    const onError = (error: Error): void => fail(REASON_OF_CODE[systemCodeOf(error) ?? ''] ?? 'failed');
    const timeout = this.#clock.after(CONNECT_TIMEOUT, () => fail('timeout'));
    socket.once('connect', succeed).once('error', onError);
    return { cancel };
  }
}

const ignore = (): void => {};
