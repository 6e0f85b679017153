/** Where a tunnel leads. */
import { Endpoint } from '../base/endpoint.js';

export interface Target {
  /** A name or a literal address, IPv6 without brackets; a peer may put it in brackets all the same. */
  readonly host: string;
  readonly port: number;
}

export function describeTarget(target: Target): string {
  const host = bareHost(target.host);
  return host.includes(':') ? `[${host}]:${target.port}` : `${host}:${target.port}`;
}

export function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** One spelling for hosts that mean the same: lower case, no final dot, literal addresses in canonical form. */
export function canonicalHost(host: string): string {
  const bare = bareHost(host);
  return Endpoint.of(bare, 0)?.address ?? bare.toLowerCase().replace(/\.$/, '');
}
