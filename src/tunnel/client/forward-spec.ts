/** What a client forwards: where connections come in, and where they lead. */
import { CodedError } from '../../base/coded-error.js';
import { type LocalPlace, placeText } from '../../base/local-place.js';
import type { ProxyUser } from '../socks/proxy-users.js';
import { describeTarget, type Target } from '../wire/target.js';

/** -L: connections at a place of this machine lead to a target as the peer sees it. */
export interface LocalSpec {
  readonly kind: 'local';
  readonly at: LocalPlace;
  readonly target: Target;
}

/** -D: each connection at a place of this machine names its own target, by SOCKS or by CONNECT of HTTP. */
export interface DynamicSpec {
  readonly kind: 'dynamic';
  readonly at: LocalPlace;
  /** Who may name one; undefined: everybody who reaches the place. */
  readonly users?: readonly ProxyUser[] | undefined;
}

/** -R: connections to a port of the peer lead to a target as this machine sees it. */
export interface ReverseSpec {
  readonly kind: 'reverse';
  readonly at: Extract<LocalPlace, { kind: 'port' }>;
  /** Undefined: each connection names its own, as with -D. */
  readonly target?: Target | undefined;
  /** As those of -D. */
  readonly users?: readonly ProxyUser[] | undefined;
}

export type ForwardSpec = LocalSpec | DynamicSpec | ReverseSpec;

/** `127.0.0.1:2222 -> 127.0.0.1:22` */
export function describeForward(spec: ForwardSpec): string {
  const at = placeText(spec.at);
  switch (spec.kind) {
    case 'local':
      return `${at} -> ${describeTarget(spec.target)}`;
    case 'dynamic':
      return `${at} -> any target`;
    case 'reverse':
      return `${at} of the server -> ${spec.target === undefined ? 'any target from' : describeTarget(spec.target)} here`;
  }
}

/** A forward that listens. */
export interface Forward {
  readonly spec: ForwardSpec;
  /** Where it listens: as in the spec, but with the port that the system has chosen. */
  readonly at: LocalPlace;
  /** Of that place; 0 where there is none. */
  readonly port: number;
  /** Connections without a tunnel yet. */
  readonly pending: number;
  readonly traffic: ForwardTraffic;
  /** Of -R, whose port is open only while the server says so. */
  readonly remote?: RemotePort;
  /** Stops listening, and ends connections without a tunnel. Open tunnels stay. */
  close(): void;
  /** Stops listening, and resets the open tunnels too. */
  abort(): void;
}

/** What the server says of the port of -R. */
export type RemotePortState =
  /** It was not asked yet, or has not answered; or there is no connection to it. */
  | { readonly kind: 'asking' }
  | { readonly kind: 'listening'; readonly port: number }
  /** The code is that of a reason; the message tells what to do. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export interface RemotePort {
  readonly state: RemotePortState;
  /** Calls back with the state now, and with each change. @returns a function that removes the listener */
  watch(listener: (state: RemotePortState) => void): () => void;
  /** Calls back when a connection has begun or ended. @returns a function that removes the listener */
  onTraffic(listener: () => void): () => void;
}

/** What has come through a forward. */
export interface ForwardTraffic {
  /** Connections that are open now, and all that have had a tunnel. */
  readonly open: number;
  readonly total: number;
  /** From and to the local programs. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** The message says what to do. */
export class ListenError extends CodedError<
  'address-in-use' | 'not-permitted' | 'no-such-address' | 'not-supported' | 'failed'
> {}
