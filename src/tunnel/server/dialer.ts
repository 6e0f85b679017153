/** Connecting to targets: names are resolved here, their addresses are tried side by side, nothing ever blocks. */
import { connect, type Socket } from 'node:net';
import { AddressRace, type AttemptHandlers } from '../../base/address-race.js';
import type { Clock, Timer } from '../../base/clock.js';
import { systemCodeOf } from '../../base/coded-error.js';
import { descriptorShares } from '../../base/descriptor-shares.js';
import type { Reason } from '../wire/reasons.js';
import { bareHost, type Target } from '../wire/target.js';
import { AttemptRooms } from './descriptor-quota.js';
import { NameLookup } from './name-lookup.js';

/** ms, for resolving and connecting together: below the time that a peer waits for its answer. */
const CONNECT_TIMEOUT = 12_000;

export interface DialHandlers {
  /** Asked for each address that the target has, before anything is sent there; a name may lead anywhere. */
  mayConnect(address: string): boolean;
  /** The socket has `allowHalfOpen` and has not been read from. @param address the one that `mayConnect` allowed */
  onConnected(socket: Socket, address: string): void;
  /**
   * `not-allowed` when the target has addresses, and none that may be connected to.
   * @param code of the system's, such as EMFILE; for the log
   */
  onFailed(reason: Reason, code?: string): void;
}

export interface Dialling {
  cancel(): void;
}

export interface Dialer {
  /**
   * One of the last two handlers is called, once, later, unless it is cancelled before.
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
  EMFILE: 'no-resources',
  ENFILE: 'no-resources',
  ENOBUFS: 'no-resources',
  ENOMEM: 'no-resources',
};

/** What tells most about the target comes first: a refusal says that a machine is there. */
const TELLING: readonly Reason[] = ['connection-refused', 'timeout', 'no-resources', 'failed', 'unreachable'];

interface ResolvedAddress {
  readonly address: string;
}

/** @param port of the target; connects to a literal address */
export type ConnectTcp = (address: string, port: number) => Socket;

const connectTcp: ConnectTcp = (address, port) => connect({ host: address, port, allowHalfOpen: true });

export class TcpDialer implements Dialer {
  readonly #deps: DialDeps;

  constructor(
    clock: Clock,
    names = new NameLookup(clock),
    connect = connectTcp,
    rooms = new AttemptRooms(descriptorShares().attempts),
  ) {
    this.#deps = { clock, names, connect, rooms };
  }

  dial(peerId: string, target: Target, handlers: DialHandlers): Dialling {
    return new TcpDialling(this.#deps, { peerId, target }, handlers);
  }
}

interface DialDeps {
  readonly clock: Clock;
  readonly names: NameLookup;
  readonly connect: ConnectTcp;
  readonly rooms: AttemptRooms;
}

class TcpDialling implements Dialling {
  readonly #deps: DialDeps;
  readonly #peerId: string;
  readonly #target: Target;
  readonly #handlers: DialHandlers;
  readonly #timeout: Timer;
  /** Ends what is under way: the lookup, and then the race. */
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
    const { clock, rooms } = this.#deps;
    const deps = { clock, room: rooms.of(this.#peerId), attempt: this.#attempt.bind(this) };
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
    // An error that comes afterwards is nobody's.
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
  return TELLING.map(of).find((error) => error !== undefined) ?? errors[0];
};
