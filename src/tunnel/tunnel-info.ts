/** Tunnels and peers as the application sees them. */
import type { PeerLink } from './link/peer-link.js';
import type { Tunnel } from './stream/tunnel.js';
import type { Target } from './wire/target.js';

export interface TunnelInfo {
  /** Counts up from 1, and names the tunnel for people (`c-17`). */
  readonly number: number;
  readonly peerId: string;
  readonly target: Target;
  /** `accepted` when the peer requested it, `opened` when this side did. */
  readonly direction: 'accepted' | 'opened';
  /** ms since it was opened. */
  readonly age: number;
  /** Bytes to the peer. */
  readonly bytesSent: number;
  /** Bytes from the peer. */
  readonly bytesReceived: number;
  /** Bytes from the peer that wait for the local program. */
  readonly backlog: number;
  /** Whether the local connection is over; what is left is between the two peers. */
  readonly isClosing: boolean;
  /** Port of our side of the local connection; undefined when there is no connection. */
  readonly localPort: number | undefined;
  /** Address of the other side of the local connection: of the target, where the tunnel was accepted. */
  readonly remoteAddress: string | undefined;
}

export interface PeerInfo {
  readonly peerId: string;
  readonly terms: PeerLink['terms'];
  /** ms; undefined before the first measurement. */
  readonly roundTrip: number | undefined;
  readonly tunnels: number;
}

/** @param now ms, of the clock of the tunnel */
export function describeTunnel(
  tunnel: Tunnel,
  { number, peerId }: { readonly number: number; readonly peerId: string },
  now: number,
): TunnelInfo {
  const { identity, openedAt, bytesSent, bytesReceived, backlog, isClosing, localPort, remoteAddress } = tunnel;
  const { target, side } = identity;
  const direction = side === 'opener' ? 'opened' : 'accepted';
  const traffic = { bytesSent, bytesReceived, backlog };
  return { number, peerId, target, direction, age: now - openedAt, ...traffic, isClosing, localPort, remoteAddress };
}
