/** Asking a router to let the world reach a port of ours: what each of the protocols offers. */
import type { Endpoint } from '../../base/endpoint.js';
import type { DatagramHandler, DatagramSocket } from '../network/datagram-socket.js';

export interface LocalPort {
  readonly protocol: 'udp' | 'tcp';
  readonly port: number;
}

/** A key for maps. */
export const keyOf = ({ protocol, port }: LocalPort): string => `${protocol}/${port}`;

export interface Mapping {
  /** The external address and port that the router reports; it may be behind another NAT, see `isPublic`. */
  readonly external: Endpoint;
  /** ms until the mapping expires. */
  readonly lifetime: number;
  readonly by: 'PCP' | 'NAT-PMP' | 'UPnP';
}

export type MapResult =
  | { readonly kind: 'mapped'; readonly mapping: Mapping }
  | { readonly kind: 'failed'; readonly reason: string };

export interface PortMapper {
  /** Maps a port, or renews its mapping; never rejects. */
  map(port: LocalPort): Promise<MapResult>;
  /** Deletes the mapping of a port; resolves when the router has confirmed it, or does not answer. */
  unmap(port: LocalPort): Promise<void>;
  /** Sends nothing more; running requests fail. */
  close(): void;
}

/** Opens a socket at this machine's address in the router's network; rejects if it has that address no more. */
export type OpenSocket = (onDatagram: DatagramHandler) => Promise<DatagramSocket>;

/**
 * ms for which a port is requested; the mapping is renewed after half of it. RFC 6886 recommends 2 hours, but a restarted router
 * has lost the mapping, and a router that we have left keeps the port open.
 */
export const LIFETIME = 20 * 60_000;

export const failed = (reason: string): MapResult => ({ kind: 'failed', reason });

/** Whether the external address of a router is reachable from the Internet; otherwise the router is behind another NAT. */
export function isPublic(external: Endpoint): boolean {
  return external.family === 4 && external.isUnicast && !external.isLan && !isReserved(external);
}

/** Specification (RFC 6890): providers use 192.0.0.0/24 between their customers' routers and their own NAT (DS-Lite). */
const isReserved = ({ address }: Endpoint): boolean => address.startsWith('192.0.0.');
