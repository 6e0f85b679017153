/** The host and port that a tunnel connects to. */
import { isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';
import { ALIAS } from '../../base/alias.js';
import { Endpoint, targetText } from '../../base/endpoint.js';

export interface Target {
  /** A name or a literal address, IPv6 without brackets; but peers may send brackets. Or the name of a service, with port 0. */
  readonly host: string;
  /** 0: a service of the peer. */
  readonly port: number;
}

/** A target to which the peer gives a name. */
export interface Service {
  /** In lower case. */
  readonly name: string;
  /** The port of its target. */
  readonly port: number;
}

/** Returns the name of the service that a target is; undefined for a host and port, and for what cannot be a name. */
export function serviceOf({ host, port }: Target): string | undefined {
  return port === 0 && ALIAS.test(host) ? host.toLowerCase() : undefined;
}

export const describeTarget = ({ host, port }: Target): string => targetText({ host: bareHost(host), port });

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

/** One spelling for equal hosts: lower case, no final dot, literal addresses in canonical form. */
export function canonicalHost(host: string): string {
  return literalAddress(host) ?? bareHost(host).toLowerCase().replace(/\.$/, '');
}
