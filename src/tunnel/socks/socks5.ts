/**
 * SOCKS version 5 (RFC 1928) with the method of user and password (RFC 1929), as the proxy reads and writes it:
 *
 *     greeting   05 | count u8 | methods                            answer  05 | method, or ff for none of them
 *     password   01 | size u8 | user | size u8 | password           answer  01 | 00 when it is right
 *     request    05 | command | 00 | address | port u16             reply   05 | code | 00 | address | port u16
 *     address    01 | 4 bytes      03 | size u8 | name      04 | 16 bytes
 */
import { Endpoint } from '../../base/endpoint.js';
import { type Decoded, proxyHost } from './proxy-codec.js';
import type { Credentials } from './proxy-users.js';

export const SOCKS5 = 5;
const PASSWORD_VERSION = 1;

export const NO_AUTHENTICATION = 0x00;
export const USER_AND_PASSWORD = 0x02;
export const NO_METHOD = 0xff;

export const CONNECT = 1;
export const UDP_ASSOCIATE = 3;

export const SOCKS5_GRANTED = 0;
/** RFC 1928, chapter 6. */
export const SOCKS5_CODES = {
  failed: 1,
  'not-allowed': 2,
  'network-unreachable': 3,
  'host-unreachable': 4,
  'connection-refused': 5,
  'ttl-expired': 6,
  'no-such-command': 7,
  'no-such-address-type': 8,
} as const;
export type Socks5Failure = keyof typeof SOCKS5_CODES;

const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

export interface Socks5Address {
  /** Undefined for a name that can be no host. */
  readonly host: string | undefined;
  readonly port: number;
}

export interface Socks5Request extends Socks5Address {
  readonly command: number;
}

/** Returns the methods that the program offers. */
export function decodeGreeting(bytes: Buffer): Decoded<Buffer> {
  const [version, count] = bytes;
  if (version !== undefined && version !== SOCKS5) return 'invalid';
  if (count === undefined || bytes.length < 2 + count) return 'incomplete';
  return { message: bytes.subarray(2, 2 + count), size: 2 + count };
}

export const encodeMethod = (method: number): Buffer => Buffer.of(SOCKS5, method);

export function decodePassword(bytes: Buffer): Decoded<Credentials> {
  const [version, nameSize] = bytes;
  if (version !== undefined && version !== PASSWORD_VERSION) return 'invalid';
  if (nameSize === undefined) return 'incomplete';
  const at = 2 + nameSize;
  const passwordSize = bytes[at];
  if (passwordSize === undefined) return 'incomplete';
  const size = at + 1 + passwordSize;
  if (bytes.length < size) return 'incomplete';
  return { message: { name: bytes.subarray(2, at), password: bytes.subarray(at + 1, size) }, size };
}

export const encodePasswordAnswer = (isRight: boolean): Buffer => Buffer.of(PASSWORD_VERSION, isRight ? 0 : 1);

/** Also tells of a command, or a type of address, that is unknown: nothing after it can be read. */
export function decodeRequest(bytes: Buffer): Decoded<Socks5Request, 'invalid' | Socks5Failure> {
  const [version, command] = bytes;
  if (version !== undefined && version !== SOCKS5) return 'invalid';
  if (command === undefined) return 'incomplete';
  if (command !== CONNECT && command !== UDP_ASSOCIATE) return 'no-such-command';
  const address = decodeAddress(bytes, 3);
  if (typeof address === 'string') return address === 'invalid' ? 'no-such-address-type' : address;
  return { message: { command, ...address.message }, size: address.size };
}

/** @returns `size` from the beginning of the bytes; `invalid` for an unknown type */
export function decodeAddress(bytes: Buffer, at: number): Decoded<Socks5Address> {
  const type = bytes[at];
  if (type === undefined) return 'incomplete';
  if (type !== IPV4 && type !== NAME && type !== IPV6) return 'invalid';
  const start = type === NAME ? at + 2 : at + 1;
  const size = type === NAME ? bytes[at + 1] : type === IPV4 ? 4 : 16;
  if (size === undefined || bytes.length < start + size + 2) return 'incomplete';
  const address = bytes.subarray(start, start + size);
  const port = bytes.readUInt16BE(start + size);
  const host = type === NAME ? proxyHost(address) : Endpoint.ofBytes(address, port).address;
  return { message: { host, port }, size: start + size + 2 };
}

/** @param from the literal address where the program is heard; that of a tunnel is not known */
export function encodeReply(code: number, from: { readonly host: string; readonly port: number } = UNKNOWN): Buffer {
  return Buffer.concat([Buffer.of(SOCKS5, code, 0), encodeAddress(from)]);
}

/** @param place.host literal, or a name of at most 255 bytes */
export function encodeAddress({ host, port }: { readonly host: string; readonly port: number }): Buffer {
  const endpoint = Endpoint.of(host, port);
  const name = Buffer.from(host, 'latin1');
  const bytes = endpoint?.toBytes() ?? name;
  const type = endpoint === undefined ? Buffer.of(NAME, name.length) : Buffer.of(endpoint.family === 4 ? IPV4 : IPV6);
  return Buffer.concat([type, bytes, Buffer.of(port >> 8, port & 0xff)]);
}

const UNKNOWN = { host: '0.0.0.0', port: 0 };
