/** Where a tunnel leads, and the texts that name it on a command line or in a rules file. */
import { domainToASCII } from 'node:url';
import { Endpoint } from '../base/endpoint.js';

export interface Target {
  /** A name or a literal address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

export function describeTarget(target: Target): string {
  return target.host.includes(':') ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
}

/**
 * Cuts `a:b:[c:d]:e` at its colons, leaving those in brackets, which go; `@` counts as a colon, as upstream has it for
 * places where a colon is forbidden. Undefined when the brackets do not match.
 */
export function splitAtColons(text: string): string[] | undefined {
  const parts: string[] = [];
  for (const [, bracketed, plain, end] of text.matchAll(/(?:\[([^\]]*)\]|([^[\]:@]*))(:|@|$)/gy)) {
    parts.push(bracketed ?? plain ?? '');
    if (end === '') return parts;
  }
  return undefined;
}

/** A decimal number from 0 to 65535, without sign or space. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 0xffff ? port : undefined;
}

/** A host as it may stand in a request: printable ASCII; names with other letters are put into their DNS form. */
export function parseHost(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is meant
  const host = /^[\x00-\x7f]*$/.test(text) ? text : domainToASCII(text);
  return host.length <= 255 && /^[\x21-\x7e]+$/.test(host) ? host : undefined;
}

/** Reads `host:port`, `[ipv6]:port` and `host@port`. */
export function parseTarget(text: string): Target | undefined {
  const [hostText, portText, ...more] = splitAtColons(text) ?? [];
  const host = parseHost(hostText ?? '');
  const port = parsePort(portText ?? '');
  return host === undefined || port === undefined || more.length > 0 ? undefined : { host, port };
}

/** One spelling for hosts that mean the same: lower case, no final dot, literal addresses in canonical form. */
export function canonicalHost(host: string): string {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return Endpoint.of(bare, 0)?.address ?? bare.toLowerCase().replace(/\.$/, '');
}
