/**
 * Connects to TCP targets: resolves their names and races their addresses, without blocking. Targets on IPv4 loopback may be connected to
 * from an address that tells the client (`SourceOf`).
 */
import type { LookupAddress } from 'node:dns';
import type { Socket } from 'node:net';
import { AddressRace, type Attempt, type AttemptHandlers } from '../../base/address-race.js';
import type { Clock } from '../../base/clock.js';
import { systemCodeOf } from '../../base/coded-error.js';
import { descriptorShares } from '../../base/descriptor-shares.js';
import { connectReading } from '../stream/shared-read-buffer.js';
import type { Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';
import { sourceFor } from './client-source.js';
import { AttemptQuotas } from './descriptor-quota.js';
import { CONNECT_TIMEOUT, type Dialer, type DialHandlers, reasonOf } from './dialer.js';
import { TargetLookup, type TargetLookupDeps } from './target-lookup.js';

/** Of several errors the first of these is reported: a refusal says most about the target, because a machine is there. */
const MOST_TELLING: readonly Reason[] = ['connection-refused', 'timeout', 'no-resources', 'failed', 'unreachable'];

/** @param address literal @param from a literal address of this machine; undefined: the system chooses */
export type ConnectTcp = (address: string, port: number, from: string | undefined) => Socket;

const connectTcp: ConnectTcp = (address, port, localAddress) =>
  connectReading({ host: address, port, allowHalfOpen: true, ...(localAddress === undefined ? {} : { localAddress }) });

export class TcpDialer implements Dialer {
  readonly #clock: Clock;
  readonly #lookup: TargetLookup;
  readonly #connect: ConnectTcp;
  readonly #quotas = new AttemptQuotas(descriptorShares().attempts);

  constructor(clock: Clock, deps: TargetLookupDeps & { readonly connect?: ConnectTcp } = {}) {
    this.#clock = clock;
    this.#lookup = new TargetLookup(clock, deps);
    this.#connect = deps.connect ?? connectTcp;
  }

  dial(peerId: string, { host, port }: Target, handlers: DialHandlers): () => void {
    const timeout = this.#clock.after(CONNECT_TIMEOUT, () => onFailed('timeout'));
    const cancel = (): void => {
      timeout.cancel();
      cancelStep();
    };
    const onFailed: DialHandlers['onFailed'] = (...failure) => {
      cancel();
      handlers.onFailed(...failure);
    };
    const race = (addresses: readonly LookupAddress[], source: string | undefined): void => {
      const attempt: Attempt<LookupAddress, Socket> = ({ address }, outcome) =>
        attemptOn(this.#connect(address, port, sourceFor(address, source)), outcome);
      const running = new AddressRace({ clock: this.#clock, room: this.#quotas.of(peerId), attempt }, addresses, {
        onConnected: (socket, { address }) => {
          timeout.cancel();
          handlers.onConnected(socket, address);
        },
        onFailed: (errors) => {
          const error = mostTelling(errors);
          onFailed(reasonOf(error), systemCodeOf(error), source === undefined ? undefined : adviceOn(error, source));
        },
      });
      cancelStep = () => running.cancel();
    };
    const mayConnect = (address: string): boolean => handlers.mayConnect(address);
    // Cancels the lookup, and later the race.
    let cancelStep = this.#lookup.find(peerId, host, { mayConnect, onFailed }, race);
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

function mostTelling(errors: readonly Error[]): Error | undefined {
  const of = (reason: Reason): Error | undefined => errors.find((error) => reasonOf(error) === reason);
  return MOST_TELLING.map(of).find((error) => error !== undefined) ?? errors[0];
}
