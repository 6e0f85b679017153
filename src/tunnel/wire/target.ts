/** What a tunnel connects to: a host and port, a service of the peer, or a Unix socket. */
import { isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';
import { ALIAS } from '../../base/alias.js';
import { Endpoint, targetText } from '../../base/endpoint.js';
import { isUnixPath } from '../../base/unix-path.js';

export interface Target {
  /**
   * A name or a literal address, IPv6 without brackets; but peers may send brackets. With port 0 the name of a service, or the path of a
   * Unix socket.
   */
  readonly host: string;
  /** 0: a service of the peer, or a Unix socket. */
  readonly port: number;
  /** Undefined: TCP, or a Unix stream socket. */
  readonly protocol?: 'udp' | undefined;
}

/** A target to which the peer gives a name. */
export interface Service {
  /** In lower case. */
  readonly name: string;
  /** The port of its target; 0 for a Unix socket. */
  readonly port: number;
  /** Undefined: TCP. */
  readonly protocol?: 'udp' | 'unix' | undefined;
}

/** Returns the name of the service that a target is; undefined for a host and port, and for what cannot be a name. */
export function serviceOf({ host, port }: Target): string | undefined {
  return port === 0 && ALIAS.test(host) ? host.toLowerCase() : undefined;
}

/** Returns the path of the Unix socket that a target is; undefined for any other. */
export function unixPathOf({ host, port, protocol }: Target): string | undefined {
  return port === 0 && protocol === undefined && isUnixPath(host) ? host : undefined;
}

/** Whether only a peer with the extension understands a request for a target. */
export const needsExtension = ({ port, protocol }: Target): boolean => port === 0 || protocol !== undefined;

export const describeTarget = ({ host, port, protocol }: Target): string =>
  targetText({ host: bareHost(host), port, protocol });

export function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/**
 * The canonical form of a literal address; undefined for a name. Takes the old spellings of IPv4 that the system's resolver takes, such
 * as `127.1` and `0x7f000001`. IPv4 mapped into IPv6 counts as IPv4.
 */
export function literalAddress(host: string): string | undefined {
  const bare = bareHost(host);
  const literal = Endpoint.of(bare, 0)?.address;
  if (literal !== undefined || !NUMERIC.test(bare)) return literal;
  const address = domainToASCII(bare);
  return isIPv4(address) ? address : undefined;
}

/** Hosts that `domainToASCII` may read as an address. It also decodes percent signs and other scripts, which no resolver does. */
const NUMERIC = /^[0-9a-fx.]+$/i;

/** One spelling for equal hosts: lower case, no final dot, literal addresses in canonical form. The path of a Unix socket stays as it is. */
export function canonicalHost(host: string): string {
  if (isUnixPath(host)) return host;
  return literalAddress(host) ?? bareHost(host).toLowerCase().replace(/\.$/, '');
}
