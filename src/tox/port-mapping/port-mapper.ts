/** Asking a router to let the world reach a port of ours: what each of the protocols offers. */
import type { Endpoint } from '../../base/endpoint.js';
import type { DatagramHandler, DatagramSocket } from '../network/datagram-socket.js';

export interface LocalPort {
  readonly protocol: 'udp' | 'tcp';
  readonly port: number;
}

export interface Mapping {
  /** Where the router says that the world reaches the port. Not to be believed without a look: see `isPublic`. */
  readonly outside: Endpoint;
  /** ms until the router forgets it. */
  readonly lifetime: number;
  readonly by: 'PCP' | 'NAT-PMP' | 'UPnP';
}

export type MapResult =
  | { readonly kind: 'mapped'; readonly mapping: Mapping }
  | { readonly kind: 'failed'; readonly reason: string };

export interface PortMapper {
  /** Asks for a port, or for more time for one that is mapped; never rejects. */
  map(port: LocalPort): Promise<MapResult>;
  /** Gives a mapped port back; resolves when the router said so, or says nothing. */
  unmap(port: LocalPort): Promise<void>;
  /** Sends nothing any more; what is being asked fails. */
  close(): void;
}

/** Opens a socket at our address in the router's network; rejects when that is not ours any longer. */
export type OpenSocket = (onDatagram: DatagramHandler) => Promise<DatagramSocket>;

/**
 * For how long a port is asked for, ms; it is asked for again after half of it. RFC 6886 recommends 2 hours,
 * but a router that was restarted has forgotten us, and one that we have left keeps the port open.
 */
export const LIFETIME = 20 * 60_000;

export const failed = (reason: string): MapResult => ({ kind: 'failed', reason });

/** Whether an address that a router calls its own can be the world's way to us; else there is another NAT before it. */
export function isPublic(outside: Endpoint): boolean {
  return outside.family === 4 && outside.isUnicast && !outside.isLan && !isReserved(outside);
}

/** Specification (RFC 6890): 192.0.0.0/24 is what providers use between their customers' routers and their own NAT (DS-Lite). */
const isReserved = ({ address }: Endpoint): boolean => address.startsWith('192.0.0.');
