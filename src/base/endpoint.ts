/** An IP address and a port, IPv4 or IPv6, comparable by its `key`. */
import { isIPv4 } from 'node:net';
import { type AddressKind, addressKind } from './address-kind.js';
import { canonicalIPv6 } from './ip-address.js';

const DOT = 0x2e;
const DIGIT_ZERO = 0x30;

/** Returns `host:port`, with an IPv6 address in brackets. @param place.host a name or an address without brackets */
export const hostAndPort = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/**
 * The target of a tunnel, as people write it: `host:port`, or what has port 0: the name of a service, or the path of a Unix socket;
 * with `udp:` in front for UDP.
 */
export function targetText(target: {
  readonly host: string;
  readonly port: number;
  readonly protocol?: 'udp' | undefined;
}): string {
  const text = target.port === 0 ? target.host : hostAndPort(target);
  return target.protocol === 'udp' ? `udp:${text}` : text;
}

export class Endpoint {
  /** 4 or 6. */
  readonly family: 4 | 6;
  /** Canonical text without brackets; a link-local IPv6 address keeps its scope (`fe80::1%eth0`). */
  readonly address: string;
  readonly port: number;
  /** Text that is equal for equal endpoints: `192.0.2.1:33445`, `[2001:db8::1]:33445`. */
  readonly key: string;
  /** Cached: every nodes response asks for both of the same few endpoints. */
  #isLan: boolean | undefined;
  #kind: AddressKind | undefined;

  private constructor(family: 4 | 6, address: string, port: number) {
    this.family = family;
    this.address = address;
    this.port = port;
    this.key = family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
  }

  /** Parses an address; IPv4 mapped into IPv6 becomes IPv4. @returns undefined if it is none, or the port is not 0 to 65535 */
  static of(address: string, port: number): Endpoint | undefined {
    if (!Number.isInteger(port) || port < 0 || port > 0xffff) return undefined;
    if (isIPv4(address)) return new Endpoint(4, address, port);
    const canonical = canonicalIPv6(address);
    if (canonical === undefined) return undefined;
    const [bare = ''] = canonical.split('%', 1);
    if (bare.startsWith('::ffff:') && isIPv4(bare.slice(7))) return new Endpoint(4, bare.slice(7), port);
    return new Endpoint(6, canonical, port);
  }

  /** Reads 4 or 16 bytes in network order. */
  static ofBytes(bytes: Buffer, port: number): Endpoint {
    if (bytes.length === 4) return new Endpoint(4, `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`, port);
    if (bytes.length !== 16) throw new RangeError('Endpoint: an address has 4 or 16 bytes');
    const groups: string[] = [];
    for (let at = 0; at < 16; at += 2) groups.push(bytes.readUInt16BE(at).toString(16));
    return Endpoint.of(groups.join(':'), port) as Endpoint;
  }

  /** Takes the canonical address of a socket; IPv4 mapped into IPv6 becomes IPv4. */
  static ofSource(address: string, port: number): Endpoint {
    if (!address.includes(':')) return new Endpoint(4, address, port);
    if (address.startsWith('::ffff:') && address.includes('.')) return new Endpoint(4, address.slice(7), port);
    return new Endpoint(6, address, port);
  }

  /** Returns the address in network order, 4 or 16 bytes, without its scope. */
  toBytes(): Buffer {
    if (this.family === 4) return ipv4Bytes(this.address);
    const bare = this.address.split('%', 1)[0] as string;
    const [head = '', tail = ''] = bare.split('::');
    const out = Buffer.alloc(16);
    const groups = (text: string): number[] => (text === '' ? [] : text.split(':').flatMap(groupValues));
    const before = groups(head);
    const after = groups(tail);
    before.forEach((value, index) => {
      out.writeUInt16BE(value, index * 2);
    });
    after.forEach((value, index) => {
      out.writeUInt16BE(value, 16 - (after.length - index) * 2);
    });
    return out;
  }

  /** Returns the same host with another port. */
  withPort(port: number): Endpoint {
    return new Endpoint(this.family, this.address, port);
  }

  equals(other: Endpoint): boolean {
    return this.key === other.key;
  }

  /** Loopback, private, link-local, shared (RFC 6598) or interface- and link-local multicast, as c-toxcore's ip_is_lan has it. */
  get isLan(): boolean {
    this.#isLan ??= this.#findIsLan();
    return this.#isLan;
  }

  #findIsLan(): boolean {
    const bytes = this.toBytes();
    const [a, b] = bytes as unknown as [number, number];
    if (this.family === 4) {
      return (
        a === 127 ||
        a === 10 ||
        (a === 172 && b >= 16 && b <= 31) ||
        (a === 192 && b === 168) ||
        (a === 169 && b === 254 && bytes[2] !== 0 && bytes[2] !== 255) ||
        (a === 100 && b >= 64 && b <= 127)
      );
    }
    if (a === 0xfe && (b & 0xc0) === 0x80) return true;
    if (a === 0xff && b < 3 && bytes[15] === 1) return true;
    return this.address === '::1';
  }

  get kind(): AddressKind {
    this.#kind ??= addressKind(this.toBytes());
    return this.#kind;
  }

  /**
   * Whether a peer at this address may make us send to `other`. A peer elsewhere may name only public addresses, so that it cannot
   * reach our local network through us (documentation addresses exist only in test networks); a peer in our local network may name
   * any; and in a network of special addresses, its members may name each other.
   */
  maySendTo(other: Endpoint): boolean {
    if (!other.isUnicast) return false;
    const { kind } = other;
    if (kind === 'public' || kind === 'documentation') return true;
    if (kind === 'benchmark' && this.kind === 'documentation') return true;
    return this.kind === 'local' || this.kind === kind;
  }

  get isLoopback(): boolean {
    return this.address === '::1' || (this.family === 4 && this.address.startsWith('127.'));
  }

  /** Whether a single host can answer: not the unspecified address, a multicast group, a broadcast or port 0. */
  get isUnicast(): boolean {
    if (this.port === 0) return false;
    if (this.family === 6) return this.address !== '::' && !/^ff[0-9a-f]{2}:/.test(this.address);
    const first = Number.parseInt(this.address, 10);
    return first > 0 && first < 224;
  }

  toString(): string {
    return this.key;
  }
}

/** The bytes of a dotted address. Each answer to a nodes request writes four of them, so no array is made. */
function ipv4Bytes(address: string): Buffer {
  const out = Buffer.allocUnsafe(4);
  let value = 0;
  let part = 0;
  for (let at = 0; at < address.length; at += 1) {
    const code = address.charCodeAt(at);
    if (code === DOT) {
      out[part] = value;
      part += 1;
      value = 0;
    } else value = value * 10 + code - DIGIT_ZERO;
  }
  out[part] = value;
  return out;
}

/** Returns the value of a group of an IPv6 address, or the two values of a dotted IPv4 tail. */
function groupValues(part: string): number[] {
  if (!part.includes('.')) return [Number.parseInt(part, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
  return [(a << 8) | b, (c << 8) | d];
}
