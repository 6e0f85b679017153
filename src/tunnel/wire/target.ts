/** Where a tunnel leads. */
import { isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';
import { Endpoint } from '../../base/endpoint.js';

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

/**
 * The address that a host is by itself, in canonical form; undefined for a name. IPv4 may be spelled in the older ways that
 * the system's resolver takes too, such as `127.1` and `0x7f000001`; mapped into IPv6 it counts as IPv4.
 */
export function literalAddress(host: string): string | undefined {
  const bare = bareHost(host);
  const literal = Endpoint.of(bare, 0)?.address;
  if (literal !== undefined || !NUMERIC.test(bare)) return literal;
  const address = domainToASCII(bare);
  return isIPv4(address) ? address : undefined;
}

/** What `domainToASCII` may read as an address: it would take percent signs and other scripts apart, which no resolver does. */
const NUMERIC = /^[0-9a-fx.]+$/i;

/** One spelling for hosts that mean the same: lower case, no final dot, literal addresses in canonical form. */
export function canonicalHost(host: string): string {
  return literalAddress(host) ?? bareHost(host).toLowerCase().replace(/\.$/, '');
}
