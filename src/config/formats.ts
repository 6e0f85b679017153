/** Parsers of the texts that people write: ports, Tox IDs, nodes, targets. */
import { domainToASCII } from 'node:url';
import { ALIAS } from '../base/alias.js';
import { withoutCopyMarks } from '../base/copied-text.js';
import { isIPv6 } from '../base/ip-address.js';
import { parseCount, parseDuration } from '../base/units.js';
import { isUnixPath } from '../base/unix-path.js';
import { PublicKey } from '../tox/crypto/keys.js';
import { TOX_ID_SIZE, ToxId } from '../tox/crypto/tox-id.js';
import { FormatError } from './format-error.js';

/** Inclusive at both ends. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface HostAndPort {
  /** A name or a literal address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What a tunnel leads to: a host and port as the server sees them; or with port 0 the name of a service, or the path of a Unix socket. */
export interface TargetText extends HostAndPort {
  /** Undefined: TCP, or a Unix socket. */
  readonly protocol?: 'udp' | undefined;
}

export interface NodeAddress extends HostAndPort {
  readonly publicKey: PublicKey;
}

/** The default address of a forward: only this machine can connect to it. */
export const LOOPBACK = '127.0.0.1';
/** The longest name of DNS. */
const MAX_HOST_LENGTH = 253;

/** @throws FormatError */
export const parsePort = (text: string): number => portFrom(1, text);

/** Parses a port, or 0 for none. @throws FormatError */
export const parsePortOrNone = (text: string): number => portFrom(0, text);

function portFrom(least: number, text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : -1;
  if (port >= least && port <= 65535) return port;
  throw new FormatError(`"${text}" is not a port: a port is a number from ${least} to 65535`);
}

/** Parses `33445:33545`, or with the older `@` for `:`. @throws FormatError */
export function parsePortRange(text: string): PortRange {
  const [first, last, more] = text.replaceAll('@', ':').split(':');
  if (first === undefined || last === undefined || more !== undefined) {
    throw new FormatError(`"${text}" is not a range of ports: give the first and the last, as in 33445:33545`);
  }
  const range = { first: parsePort(first), last: parsePort(last) };
  if (range.first > range.last) throw new FormatError(`in "${text}" the first port is above the last: swap them`);
  return range;
}

/** ms; the longest timer has 24.8 days. */
const MAX_LASTING = 24 * 24 * 3_600_000;
/** All of them may be connected at once. */
const MAX_USES = 512;
/** ms; less than the 24 days of the longest timer. */
const MAX_TIMEOUT = 24 * 3_600_000;

/** Parses a timeout: `30s`, `500ms`, `1h30m`; a number alone is seconds. @returns ms @throws FormatError */
export function parseTimeout(text: string): number {
  const duration = parseDuration(/[0-9]$/.test(text) ? `${text}s` : text);
  if (duration === undefined) throw new FormatError(`"${text}" is not a duration: examples are 30s, 500ms and 2m`);
  if (duration > MAX_TIMEOUT) throw new FormatError(`"${text}" is too long: use at most 24h, or 0 to wait forever`);
  return duration;
}

/** Parses a number of retries. @throws FormatError */
export function parseRetries(text: string): number {
  const count = parseCount(text);
  if (count === undefined) throw new FormatError(`"${text}" is not a number of retries: use 0 or more`);
  return count;
}

/** Parses the duration of a share: `30m`, `1h`, `2d`. @returns ms @throws FormatError */
export function parseLasting(text: string): number {
  const duration = parseDuration(text);
  if (!duration) throw new FormatError(`"${text}" is not a duration above 0: examples are 30m, 1h and 2d`);
  if (duration > MAX_LASTING) throw new FormatError(`"${text}" is too long: use at most 24d, or leave it out`);
  return duration;
}

/** Parses how many clients a share admits. @throws FormatError */
export function parseUses(text: string): number {
  const count = parseCount(text);
  if (!count || count > MAX_USES) throw new FormatError(`"${text}" is not a number of clients: use 1 to ${MAX_USES}`);
  return count;
}

/** Ports by the names of their protocols (IANA): those of services that people share, and no file of the machine. */
const PROTOCOL_PORTS: ReadonlyMap<string, number> = new Map([
  ['ssh', 22],
  ['http', 80],
  ['https', 443],
  ['smb', 445],
  ['mqtt', 1883],
  ['nfs', 2049],
  ['mysql', 3306],
  ['rdp', 3389],
  ['postgresql', 5432],
  ['vnc', 5900],
]);

/**
 * Parses what to share: a port of this machine, by its number or the name of its protocol, or `host:port`. The host has no character that a shell would change: it becomes part
 * of a link.
 * @throws FormatError
 */
export function parseSharedTarget(text: string): HostAndPort {
  if (/^[0-9]+$/.test(text)) return { host: LOOPBACK, port: parsePort(text) };
  const port = PROTOCOL_PORTS.get(text.toLowerCase());
  if (port !== undefined) return { host: LOOPBACK, port };
  if (!/[:@]/.test(text) || text.includes('/')) {
    throw new FormatError(
      `"${text}" is neither a port nor host:port: examples are 22, 10.0.0.5:80 and [::1]:80; known by name: ${[...PROTOCOL_PORTS.keys()].join(', ')}`,
    );
  }
  const target = parseTarget(text);
  if (!/^[\w.:%-]+$/.test(target.host)) throw new FormatError(`"${target.host}" is not the name or address of a host`);
  return target;
}

/** Parses the target of a service: as `parseSharedTarget` does, or `udp:53`, `udp:10.0.0.5:53`, or the path of a Unix socket. @throws FormatError */
export function parseServiceTarget(text: string): TargetText {
  if (text.startsWith('/')) return { host: parseUnixPath(text), port: 0 };
  if (text.includes('/') && !text.includes('://')) {
    throw new FormatError(`"${text}" has a slash: a Unix socket is written as its path alone, as in /run/db.sock`);
  }
  const udp = withoutUdp(text);
  return udp === undefined ? parseSharedTarget(text) : { ...parseSharedTarget(udp), protocol: 'udp' };
}

/** Parses 76 hex digits of either case, with what copying adds. @throws FormatError */
export function parseToxId(copied: string): ToxId {
  const text = withoutCopyMarks(copied);
  const id = ToxId.parse(text);
  switch (id) {
    case 'length':
      throw new FormatError(`a Tox ID has ${TOX_ID_SIZE * 2} hex digits, this one has ${text.length}: copy all of it`);
    case 'digits': {
      const at = text.search(/[^0-9a-fA-F]/);
      throw new FormatError(
        `a Tox ID has only hex digits (0-9, A-F), but character ${at + 1} of this one is "${text[at]}"`,
      );
    }
    case 'checksum':
      throw new FormatError('the checksum of this Tox ID does not match, so a digit of it is wrong: copy it again');
    case 'key':
      throw new FormatError('no Tox peer can have the public key in this Tox ID: copy it again from the server');
    default:
      return id;
  }
}

/**
 * Parses `host:port`, with `@` or `:`. Any host may be in brackets, and an IPv6 address may be without, as with OpenSSH's `[%h]:%p`
 * and `%h:%p`: neither is ambiguous.
 * @throws FormatError
 */
export function parseTarget(text: string, orElse = ''): HostAndPort {
  const [host, port, more] = splitIPv6AndPort(text) ?? splitAddress(text, true) ?? [];
  if (host === undefined || port === undefined || more !== undefined) {
    throw new FormatError(`"${text}" is not host:port, as in 127.0.0.1:22 or [::1]:22${orElse}`);
  }
  return { host: parseHost(host, text), port: parsePort(port) };
}

/** Parses the name of a service, which is in lower case from here on. @throws FormatError */
export function parseServiceName(text: string): string {
  if (isServiceName(text)) return text.toLowerCase();
  throw new FormatError(
    `"${text}" is not the name of a service: a name begins with a letter and has at most 32 of A-Z a-z 0-9 . _ -`,
  );
}

/** Whether a text can be the name of a service and nothing else. */
export const isServiceName = (text: string): boolean => ALIAS.test(text) && text.toLowerCase() !== 'deny';

/**
 * Parses `host:port` as `parseTarget` does, or the name of a service, both with `udp:` in front for UDP; or the path of a Unix socket.
 * @throws FormatError
 */
export function parseTargetOrService(text: string): TargetText {
  if (text.startsWith('/')) return { host: parseUnixPath(text), port: 0 };
  const udp = withoutUdp(text);
  if (udp !== undefined) return { ...parseTcpTarget(udp), protocol: 'udp' };
  return parseTcpTarget(text);
}

/** Parses a target that has a stream. @throws FormatError */
export function parseStreamTarget(text: string): TargetText {
  const target = parseTargetOrService(text);
  if (target.protocol === undefined) return target;
  throw new FormatError(`"${text}" has datagrams, and this is a stream: -L udp:PORT:HOST:PORT reaches it`);
}

function parseTcpTarget(text: string): TargetText {
  if (isServiceName(text)) return { host: parseServiceName(text), port: 0 };
  return parseTarget(text, ', nor the name of a service, nor the path of a Unix socket');
}

/** Returns what follows `udp:`; undefined for a text without it. */
const withoutUdp = (text: string): string | undefined => /^udp:(.*)$/s.exec(text)?.[1];

/** Parses the absolute path of a Unix socket. @throws FormatError */
export function parseUnixPath(text: string): string {
  if (isUnixPath(text)) return text;
  throw new FormatError(
    `"${text}" cannot be the path of a Unix socket: it begins with /, and has at most 107 printable ASCII characters without spaces`,
  );
}

/** Parses `host:port:public key`; an IPv6 address is in brackets. @throws FormatError */
export function parseNode(text: string): NodeAddress {
  const parts = splitAddress(text);
  const [host, port, key] = parts ?? [];
  if (host === undefined || port === undefined || key === undefined || parts?.length !== 3) {
    throw new FormatError(`"${text}" is not host:port:key, as in 192.0.2.1:33445:F404AB…`);
  }
  return { host: parseHost(host, text), port: parsePort(port), publicKey: parsePublicKey(key) };
}

/** Parses 64 hex digits of either case, with what copying adds. @throws FormatError */
export function parsePublicKey(copied: string): PublicKey {
  const text = withoutCopyMarks(copied);
  const key = PublicKey.parse(text);
  if (key !== undefined) return key;
  throw new FormatError(
    /^[0-9a-fA-F]*$/.test(text)
      ? `a public key has 64 hex digits, this one has ${text.length}`
      : `"${text}" is not a public key: a public key has 64 hex digits`,
  );
}

/** Parses a name or an address. A name with other letters than ASCII is returned in its DNS form, which is used on the wire. @throws FormatError */
export function parseHost(text: string, whole: string): string {
  if (text === '') throw new FormatError(`the host is missing in "${whole}"`);
  const host = /^\p{ASCII}*$/u.test(text) ? text : domainToASCII(text);
  if (host.length > MAX_HOST_LENGTH) throw new FormatError(`a host name has at most ${MAX_HOST_LENGTH} characters`);
  if (!/^[!-~]+$/.test(host)) throw new FormatError(`"${text}" in "${whole}" is not a host`);
  return host;
}

/**
 * Splits at the colons outside of brackets. @returns undefined if there is something else than an address in brackets
 * @param isAnyHost whether names and IPv4 addresses may be in brackets too
 */
export function splitAddress(text: string, isAnyHost = false): string[] | undefined {
  const parts: string[] = [];
  let rest = text.replaceAll('@', ':');
  for (;;) {
    const part = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::|$)/.exec(rest);
    if (part === null) return undefined;
    if (part[1] !== undefined && !isIPv6(part[1]) && (!isAnyHost || part[1].includes(':'))) return undefined;
    parts.push(part[1] ?? part[2] ?? '');
    if (!part[0].endsWith(':')) return parts;
    rest = rest.slice(part[0].length);
  }
}

/** Splits an IPv6 address without brackets from its port; undefined for anything else. */
function splitIPv6AndPort(text: string): [host: string, port: string] | undefined {
  const [, host, port] = /^([^[\]]*)[:@]([0-9]+)$/.exec(text) ?? [];
  return host !== undefined && port !== undefined && isIPv6(host) ? [host, port] : undefined;
}
