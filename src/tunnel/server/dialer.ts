/** Connects to targets: resolves their names and races their addresses, without blocking. */
import { connect, type Socket } from 'node:net';
import { AddressRace, type AttemptHandlers } from '../../base/address-race.js';
import type { Clock, Timer } from '../../base/clock.js';
import { systemCodeOf } from '../../base/coded-error.js';
import { descriptorShares } from '../../base/descriptor-shares.js';
import type { Reason } from '../wire/reasons.js';
import { bareHost, type Target } from '../wire/target.js';
import { AttemptQuotas } from './descriptor-quota.js';
import { NameLookup } from './name-lookup.js';

/** ms, for resolving and connecting together: less than a peer waits for its answer. */
const CONNECT_TIMEOUT = 12_000;

export interface DialHandlers {
  /** Asked for each address of the target before anything is sent there, because a name can have any address. */
  mayConnect(address: string): boolean;
  /** @param socket has `allowHalfOpen` and has not been read from @param address was allowed by `mayConnect` */
  onConnected(socket: Socket, address: string): void;
  /**
   * @param reason `not-allowed` when the target has addresses, and none of them is allowed
   * @param code of the system, such as EMFILE, for the log
   */
  onFailed(reason: Reason, code?: string): void;
}

export interface Dialer {
  /**
   * One of the last two handlers is called later, once.
   * @param peerId the client that asked for the target
   * @returns a function that cancels; then no handler is called
   */
  dial(peerId: string, target: Target, handlers: DialHandlers): () => void;
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
  EMFILE: 'no-resources',
  ENFILE: 'no-resources',
  ENOBUFS: 'no-resources',
  ENOMEM: 'no-resources',
};

/** Of several errors the first of these is reported: a refusal says most about the target, because a machine is there. */
const MOST_TELLING: readonly Reason[] = ['connection-refused', 'timeout', 'no-resources', 'failed', 'unreachable'];

interface ResolvedAddress {
  readonly address: string;
}

/** @param address literal */
export type ConnectTcp = (address: string, port: number) => Socket;

const connectTcp: ConnectTcp = (address, port) => connect({ host: address, port, allowHalfOpen: true });

interface DialDeps {
  readonly clock: Clock;
  readonly names: NameLookup;
  readonly connect: ConnectTcp;
  readonly quotas: AttemptQuotas;
}

export class TcpDialer implements Dialer {
  readonly #deps: DialDeps;

  constructor(
    clock: Clock,
    names = new NameLookup(clock),
    connect = connectTcp,
    quotas = new AttemptQuotas(descriptorShares().attempts),
  ) {
    this.#deps = { clock, names, connect, quotas };
  }

  dial(peerId: string, target: Target, handlers: DialHandlers): () => void {
    const dial = new Dial(this.#deps, { peerId, target }, handlers);
    return () => dial.cancel();
  }
}

class Dial {
  readonly #deps: DialDeps;
  readonly #peerId: string;
  readonly #target: Target;
  readonly #handlers: DialHandlers;
  readonly #timeout: Timer;
  /** Cancels the lookup, and then the race. */
  #cancelStep: () => void;

  constructor(
    deps: DialDeps,
    { peerId, target }: { readonly peerId: string; readonly target: Target },
    handlers: DialHandlers,
  ) {
    this.#deps = deps;
    this.#peerId = peerId;
    this.#target = target;
    this.#handlers = handlers;
    this.#timeout = deps.clock.after(CONNECT_TIMEOUT, () => this.#fail('timeout'));
    this.#cancelStep = deps.names.lookup(peerId, bareHost(target.host), (error, addresses) => {
      if (error === null) this.#race(addresses);
      else this.#fail(reasonOf(error), systemCodeOf(error));
    });
  }

  cancel(): void {
    this.#timeout.cancel();
    this.#cancelStep();
  }

  #race(addresses: readonly ResolvedAddress[]): void {
    const allowed = addresses.filter(({ address }) => this.#handlers.mayConnect(address));
    if (allowed.length === 0) {
      this.#fail(addresses.length === 0 ? 'name-not-found' : 'not-allowed');
      return;
    }
    const { clock, quotas } = this.#deps;
    const deps = { clock, room: quotas.of(this.#peerId), attempt: this.#attempt.bind(this) };
    const race = new AddressRace<ResolvedAddress, Socket>(deps, allowed, {
      onConnected: (socket, { address }) => {
        this.#timeout.cancel();
        this.#handlers.onConnected(socket, address);
      },
      onFailed: (errors) => {
        const error = mostTelling(errors);
        this.#fail(error === undefined ? 'failed' : reasonOf(error), systemCodeOf(error));
      },
    });
    this.#cancelStep = () => race.cancel();
  }

  #attempt({ address }: ResolvedAddress, { onConnected, onFailed }: AttemptHandlers<Socket>): () => void {
    const socket = this.#deps.connect(address, this.#target.port);
    socket.once('error', onFailed).once('connect', () => {
      socket.off('error', onFailed);
      onConnected(socket);
    });
    // Later errors are ignored.
    return () =>
      socket
        .removeAllListeners('connect')
        .removeAllListeners('error')
        .on('error', () => {})
        .destroy();
  }

  #fail(reason: Reason, code?: string): void {
    this.cancel();
    this.#handlers.onFailed(reason, code);
  }
}

const reasonOf = (error: Error): Reason => REASON_OF_CODE[systemCodeOf(error) ?? ''] ?? 'failed';

const mostTelling = (errors: readonly Error[]): Error | undefined => {
  const of = (reason: Reason): Error | undefined => errors.find((error) => reasonOf(error) === reason);
  return MOST_TELLING.map(of).find((error) => error !== undefined) ?? errors[0];
};
