/**
 * SOCKS version 4, and its extension 4a for names that the proxy resolves:
 *
 *     request   04 | command u8 | port u16 | IPv4 | user | 00
 *     4a        the IPv4 is 0.0.0.x with x other than 0, and the name follows: name | 00
 *     reply     00 | code u8 | port u16 | IPv4
 */
import { type Decoded, MAX_NAME_SIZE, proxyHost } from './proxy-codec.js';

export const SOCKS4 = 4;
export const SOCKS4_CONNECT = 1;
export const SOCKS4_GRANTED = 0x5a;
export const SOCKS4_REJECTED = 0x5b;

const HEAD_SIZE = 8;
/** Bytes. */
const MAX_USER_SIZE = 255;

export interface Socks4Request {
  readonly command: number;
  /** Undefined for a name that can be no host. */
  readonly host: string | undefined;
  readonly port: number;
}

export function decodeSocks4(bytes: Buffer): Decoded<Socks4Request> {
  if (bytes.length < HEAD_SIZE) return 'incomplete';
  const userEnd = endOfText(bytes, HEAD_SIZE, MAX_USER_SIZE);
  if (typeof userEnd === 'string') return userEnd;
  const command = bytes.readUInt8(1);
  const port = bytes.readUInt16BE(2);
  const address = bytes.readUInt32BE(4);
  // 0.0.0.0 itself is an address.
  if (address === 0 || address > 0xff) {
    return { message: { command, host: bytes.subarray(4, HEAD_SIZE).join('.'), port }, size: userEnd + 1 };
  }
  const nameEnd = endOfText(bytes, userEnd + 1, MAX_NAME_SIZE);
  if (typeof nameEnd === 'string') return nameEnd;
  return { message: { command, host: proxyHost(bytes.subarray(userEnd + 1, nameEnd)), port }, size: nameEnd + 1 };
}

/** The programs that read the address of a reply do so after a BIND, which is refused. */
export const encodeSocks4Reply = (code: number): Buffer => Buffer.of(0, code, 0, 0, 0, 0, 0, 0);

/** @returns where its zero byte is */
function endOfText(bytes: Buffer, start: number, most: number): number | 'incomplete' | 'invalid' {
  const end = bytes.indexOf(0, start);
  if (end < 0) return bytes.length - start > most ? 'invalid' : 'incomplete';
  return end - start > most ? 'invalid' : end;
}
