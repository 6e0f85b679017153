/** Handles the requests of peers: checks each against the policy, connects to its target, and accepts or refuses it. */
import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.js';
import type { Listeners } from '../../base/listeners.js';
import { isSpeedTest } from '../../base/speed-test.js';
import type { IncomingRequest } from '../link/incoming-requests.js';
import type { PeerLog } from '../link/peer-log.js';
import { isDatagramEnd, type TunnelEnd } from '../stream/datagram-end.js';
import { endOf } from '../stream/unix-end.js';
import { describeReason, type Reason } from '../wire/reasons.js';
import { describeTarget, type Target, unixPathOf } from '../wire/target.js';
import type { Dialer } from './dialer.js';
import { encodeProxyHeader } from './proxy-header.js';
import { speedTestEnd } from './speed-test.js';

/** Connection attempts at once for one peer: a burst of a browser. */
const MAX_PEER_DIALS = 256;

/**
 * `target`: what to connect to instead, when the request names a service.
 * `clientAddress`: the target asks for a header with the client's address, which this is.
 * `serve`: makes the local end, where nothing is to be connected to.
 */
export type Verdict =
  | {
      readonly allowed: true;
      readonly target?: Target;
      readonly clientAddress?: string;
      readonly serve?: (() => TunnelEnd) | undefined;
    }
  | { readonly allowed: false; readonly reason: string };

/** What a request is connected to, or is being connected to. */
export interface Reached {
  /** Literal. */
  readonly address?: string | undefined;
  /** What the name of a service stood for when the connection began; undefined where the request has a host and port. */
  readonly destination?: Target | undefined;
}

/**
 * Decides about one request. Called for each, so changes of the rules count at once.
 * @param reached undefined before the connection begins; while the address is not known, `allowed` may still depend on it
 */
export type MayReach = (peerId: string, target: Target, reached?: Reached) => Verdict;

export interface RequestHandlerDeps {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly mayReach: MayReach;
  readonly log: PeerLog;
  /** A tunnel keeps the number of its request. */
  readonly nextNumber: () => number;
  /** `detail`: which rule, or what failed; for the owner, while the peer gets the reason alone. */
  readonly refused: Listeners<[peerId: string, target: Target, reason: Reason, detail: string]>;
}

/** A request whose target is being connected to. */
interface Dial {
  readonly number: number;
  readonly since: number;
  readonly cancel: () => void;
}

export class RequestHandler {
  readonly #deps: RequestHandlerDeps;
  readonly #dials = new Map<IncomingRequest, Dial>();
  /** Why no request is taken any more. */
  #closed: Reason | undefined;

  constructor(deps: RequestHandlerDeps) {
    this.#deps = deps;
  }

  /** Requests whose targets are being connected to. */
  get size(): number {
    return this.#dials.size;
  }

  /** @param full why this peer may have no other tunnel; undefined when it may */
  handle(request: IncomingRequest, full: string | undefined): void {
    const { peerId, target } = request;
    const verdict = this.#deps.mayReach(peerId, target);
    if (this.#closed !== undefined) this.#refuse(request, this.#closed);
    else if (!verdict.allowed) this.#refuse(request, 'not-allowed', verdict.reason);
    else if (isSpeedTest(target)) this.#serve(request, full, () => speedTestEnd(this.#deps.clock, target));
    else if (verdict.serve !== undefined) this.#serve(request, full, verdict.serve, verdict.target);
    else if (!isReachable(verdict.target ?? target)) this.#refuse(request, 'bad-request');
    else if (full !== undefined) this.#refuse(request, 'too-many-tunnels', full);
    else if (this.dialsOf(peerId) >= MAX_PEER_DIALS) this.#refuse(request, 'too-many-tunnels');
    else this.#dial(request, verdict.target);
  }

  #serve(request: IncomingRequest, full: string | undefined, end: () => TunnelEnd, destination?: Target): void {
    if (full !== undefined) this.#refuse(request, 'too-many-tunnels', full);
    else request.answer(end(), { destination, number: this.#deps.nextNumber() });
  }

  list(): { readonly number: number; readonly peerId: string; readonly target: Target; readonly age: number }[] {
    const now = this.#deps.clock.now();
    return [...this.#dials].map(([{ peerId, target }, { number, since }]) => {
      return { number, peerId, target, age: now - since };
    });
  }

  dialsOf(peerId: string): number {
    let count = 0;
    for (const request of this.#dials.keys()) if (request.peerId === peerId) count += 1;
    return count;
  }

  /** Refuses requests whose targets are being connected to. @returns whether there was one */
  refuse(reason: Reason, matches: (peerId: string, number: number) => boolean): boolean {
    const matching = [...this.#dials].filter(([{ peerId }, { number }]) => matches(peerId, number));
    for (const [request, { cancel }] of matching) {
      cancel();
      this.#dials.delete(request);
      this.#refuse(request, reason);
    }
    return matching.length > 0;
  }

  /** Refuses all requests, and those that come from now on. */
  close(reason: Reason): void {
    this.#closed = reason;
    this.refuse(reason, () => true);
  }

  /** Cancels all connection attempts; their requests stay unanswered. */
  stop(): void {
    for (const { cancel } of this.#dials.values()) cancel();
    this.#dials.clear();
  }

  /** @param destination what the request connects to, when it names a service */
  #dial(request: IncomingRequest, destination: Target | undefined): void {
    const { peerId, target } = request;
    let refusal: string | undefined;
    let clientAddress: string | undefined;
    const mayConnect = (address: string): boolean => {
      const verdict = this.#deps.mayReach(peerId, target, { address, destination });
      if (verdict.allowed) clientAddress = verdict.clientAddress;
      else refusal = verdict.reason;
      return verdict.allowed;
    };
    const number = this.#deps.nextNumber();
    const cancel = this.#deps.dialer.dial(peerId, destination ?? target, {
      mayConnect,
      onConnected: (connected, address) => {
        this.#dials.delete(request);
        // The policy may have changed while the target was being connected to.
        if (mayConnect(address)) {
          const end = isDatagramEnd(connected) ? connected : endOf(this.#deps.clock, connected);
          if (clientAddress !== undefined && !isDatagramEnd(connected))
            connected.write(headerOf(connected, clientAddress, peerId));
          request.answer(end, { destination, number });
          return;
        }
        connected.destroy();
        this.#refuse(request, 'not-allowed', refusal);
      },
      onFailed: (reason, code, advice) => {
        this.#dials.delete(request);
        const detail = `${describeReason(reason)}${code === undefined ? '' : ` (${code})`}${advice === undefined ? '' : `: ${advice}`}`;
        this.#refuse(request, reason, reason === 'not-allowed' ? refusal : detail);
      },
    });
    this.#dials.set(request, { number, since: this.#deps.clock.now(), cancel });
  }

  #refuse(request: IncomingRequest, reason: Reason, detail = describeReason(reason)): void {
    const { peerId, target } = request;
    const { log, refused } = this.#deps;
    log.say(peerId, 'request refused', `${describeTarget(target)} refused: ${detail}`);
    refused.tell(peerId, target, reason, detail);
    request.answer(reason);
  }
}

/** @param clientAddress of the peer, to whose connection our own port belongs */
function headerOf({ localPort = 0, remoteAddress, remotePort }: Socket, clientAddress: string, peerId: string): Buffer {
  const destination =
    remoteAddress === undefined || remotePort === undefined ? undefined : { address: remoteAddress, port: remotePort };
  return encodeProxyHeader({ address: clientAddress, port: localPort }, destination, peerId);
}

/** Whether it is a host and port. */
const isReachable = (target: Target): boolean => target.port !== 0 || unixPathOf(target) !== undefined;
