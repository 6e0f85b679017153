/** Tunnels and peers as the application sees them. */
import type { PeerLink } from './link/peer-link.js';
import type { Tunnel } from './stream/tunnel.js';
import type { Target } from './wire/target.js';

export interface TunnelInfo {
  /** Counts up from 1 and names the tunnel for people (`c-17`). */
  readonly number: number;
  readonly peerId: string;
  readonly target: Target;
  /** Which side asked for it: `accepted` came from the peer, `opened` from a program here. */
  readonly direction: 'accepted' | 'opened';
  /** ms since it was opened. */
  readonly age: number;
  /** Bytes to the peer. */
  readonly bytesSent: number;
  /** Bytes from the peer. */
  readonly bytesReceived: number;
  /** Bytes from the peer that wait for the local program. */
  readonly backlog: number;
  /** The local connection is over; what is left is between the two peers. */
  readonly isClosing: boolean;
  /** Of the local connection, as the kernel lists it; undefined when there is none. */
  readonly localPort: number | undefined;
  /** Of the other end of that connection: the target's, where the tunnel was accepted. */
  readonly remoteAddress: string | undefined;
}

export interface PeerInfo {
  readonly peerId: string;
  readonly terms: PeerLink['terms'];
  /** ms; undefined before it was measured. */
  readonly roundTrip: number | undefined;
  readonly tunnels: number;
}

/** @param now of the clock by which the tunnel was opened, ms */
export function describeTunnel(
  tunnel: Tunnel,
  { number, peerId }: { readonly number: number; readonly peerId: string },
  now: number,
): TunnelInfo {
  const { identity, openedAt, bytesSent, bytesReceived, backlog, isClosing, localPort, remoteAddress } = tunnel;
  return {
    number,
    peerId,
    target: identity.target,
    direction: identity.side === 'opener' ? 'opened' : 'accepted',
    age: now - openedAt,
    bytesSent,
    bytesReceived,
    backlog,
    isClosing,
    localPort,
    remoteAddress,
  };
}
