/**
 * Connects to targets: resolves their names and races their addresses, without blocking. Targets on IPv4 loopback may be connected to
 * from an address that tells the client (`SourceOf`).
 */
import type { LookupAddress } from 'node:dns';
import type { Socket } from 'node:net';
import { AddressRace, type Attempt, type AttemptHandlers } from '../../base/address-race.js';
import type { Clock } from '../../base/clock.js';
import { systemCodeOf } from '../../base/coded-error.js';
import { descriptorShares } from '../../base/descriptor-shares.js';
import type { DatagramEnd } from '../stream/datagram-end.js';
import { connectReading } from '../stream/shared-read-buffer.js';
import type { Reason } from '../wire/reasons.js';
import { bareHost, type Target } from '../wire/target.js';
import { type SourceOf, sourceFor, withSource } from './client-source.js';
import { AttemptQuotas } from './descriptor-quota.js';
import { NameLookup } from './name-lookup.js';

/** ms, for resolving and connecting together: less than a peer waits for its answer. */
export const CONNECT_TIMEOUT = 12_000;

export interface DialHandlers {
  /** Asked for each address of the target before anything is sent there, because a name can have any address. */
  mayConnect(address: string): boolean;
  /**
   * @param connected a paused socket with `allowHalfOpen`, whose bytes `readChunks` gets, or a UDP session that was not started
   * @param address was allowed by `mayConnect`
   */
  onConnected(connected: Socket | DatagramEnd, address: string): void;
  /**
   * @param reason `not-allowed` when the target has addresses, and none of them is allowed
   * @param code of the system, such as EMFILE, for the log
   * @param advice what the owner should know besides, for the log
   */
  onFailed(reason: Reason, code?: string, advice?: string): void;
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
  EACCES: 'unreachable',
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

/** @param address literal @param from a literal address of this machine; undefined: the system chooses */
export type ConnectTcp = (address: string, port: number, from: string | undefined) => Socket;

const connectTcp: ConnectTcp = (address, port, localAddress) =>
  connectReading({ host: address, port, allowHalfOpen: true, ...(localAddress === undefined ? {} : { localAddress }) });

export class TcpDialer implements Dialer {
  readonly #clock: Clock;
  readonly #names: NameLookup;
  readonly #connect: ConnectTcp;
  readonly #quotas = new AttemptQuotas(descriptorShares().attempts);
  readonly #sourceOf: SourceOf;

  constructor(
    clock: Clock,
    deps: { readonly names?: NameLookup; readonly connect?: ConnectTcp; readonly sourceOf?: SourceOf } = {},
  ) {
    this.#clock = clock;
    this.#names = deps.names ?? new NameLookup(clock);
    this.#connect = deps.connect ?? connectTcp;
    this.#sourceOf = deps.sourceOf ?? (() => undefined);
  }

  dial(peerId: string, { host, port }: Target, handlers: DialHandlers): () => void {
    const timeout = this.#clock.after(CONNECT_TIMEOUT, () => fail('timeout'));
    const cancel = (): void => {
      timeout.cancel();
      cancelStep();
    };
    const fail = (reason: Reason, code?: string, advice?: string): void => {
      cancel();
      handlers.onFailed(reason, code, advice);
    };
    const race = (found: readonly LookupAddress[]): void => {
      const { source, addresses } = withSource(found, () => this.#sourceOf(peerId));
      const allowed = addresses.filter(({ address }) => handlers.mayConnect(address));
      if (allowed.length === 0) {
        fail(addresses.length === 0 ? 'name-not-found' : 'not-allowed');
        return;
      }
      if (source !== undefined && 'error' in source) {
        fail('failed', undefined, source.error);
        return;
      }
      const attempt: Attempt<LookupAddress, Socket> = ({ address }, outcome) =>
        attemptOn(this.#connect(address, port, sourceFor(address, source?.address)), outcome);
      const running = new AddressRace({ clock: this.#clock, room: this.#quotas.of(peerId), attempt }, allowed, {
        onConnected: (socket, { address }) => {
          timeout.cancel();
          handlers.onConnected(socket, address);
        },
        onFailed: (errors) => {
          const error = mostTelling(errors);
          fail(
            reasonOf(error),
            systemCodeOf(error),
            source === undefined ? undefined : adviceOn(error, source.address),
          );
        },
      });
      cancelStep = () => running.cancel();
    };
    // Cancels the lookup, and later the race.
    let cancelStep = this.#names.lookup(peerId, bareHost(host), (error, addresses) => {
      if (error === null) race(addresses);
      else fail(reasonOf(error), systemCodeOf(error));
    });
    return cancel;
  }
}

function attemptOn(socket: Socket, { onConnected, onFailed }: AttemptHandlers<Socket>): () => void {
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

/** What an owner should know whose client has an address of its own, which is a thing that they may not think of. */
function adviceOn(error: Error | undefined, address: string): string | undefined {
  if ((error as { readonly syscall?: string } | undefined)?.syscall === 'bind') {
    return `this system does not let a program use ${address}, which targets.source: per-client needs: not all of 127.0.0.0/8 is on its loopback interface`;
  }
  if (reasonOf(error) !== 'connection-refused') return undefined;
  return `it was asked from ${address} on IPv4 alone (targets.source: per-client): a service that listens on ::1 only is not reached`;
}

export const reasonOf = (error: unknown): Reason => REASON_OF_CODE[systemCodeOf(error) ?? ''] ?? 'failed';

function mostTelling(errors: readonly Error[]): Error | undefined {
  const of = (reason: Reason): Error | undefined => errors.find((error) => reasonOf(error) === reason);
  return MOST_TELLING.map(of).find((error) => error !== undefined) ?? errors[0];
}
