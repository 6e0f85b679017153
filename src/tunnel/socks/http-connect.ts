/**
 * CONNECT of HTTP/1.1 (RFC 9110, chapter 9.3.6), as the proxy reads and writes it. Every other method is refused by its first bytes:
 * pages of the web can make a browser send such requests to a port of this machine, with a body of their choice.
 */
import { isIPv6 } from '../../base/ip-address.js';
import { type Decoded, proxyHost } from './proxy-codec.js';
import type { Credentials } from './proxy-users.js';

const METHOD = Buffer.from('CONNECT ');
/** Bytes of the request and its header. */
const MAX_HEAD_SIZE = 8_192;

export interface ConnectRequest {
  readonly host: string;
  readonly port: number;
  /** Of the header Proxy-Authorization. */
  readonly credentials: Credentials | undefined;
}

export function decodeConnect(bytes: Buffer): Decoded<ConnectRequest, 'other-method' | 'too-large' | 'invalid'> {
  const start = bytes.subarray(0, METHOD.length);
  if (!METHOD.subarray(0, start.length).equals(start)) return 'other-method';
  const head = bytes.toString('latin1', 0, MAX_HEAD_SIZE);
  const end = /\r?\n\r?\n/.exec(head);
  if (end === null) return bytes.length >= MAX_HEAD_SIZE ? 'too-large' : 'incomplete';
  const size = end.index + end[0].length;
  const [line = '', ...fields] = head.slice(0, end.index).split(/\r?\n/);
  const [, authority = ''] = /^CONNECT (\S+) HTTP\/1\.[01]$/.exec(line) ?? [];
  const place = decodeAuthority(authority);
  return place === undefined ? 'invalid' : { message: { ...place, credentials: credentialsOf(fields) }, size };
}

/** `host:port`, an IPv6 address in brackets. @param text latin1 */
function decodeAuthority(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, bracketed, name = '', digits] = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = proxyHost(Buffer.from(bracketed ?? name, 'latin1'));
  const port = Number(digits);
  const isHost = host !== undefined && (bracketed === undefined || isIPv6(host));
  return isHost && port <= 0xffff ? { host, port } : undefined;
}

function credentialsOf(fields: readonly string[]): Credentials | undefined {
  for (const field of fields) {
    const [, base64] = /^proxy-authorization:\s*basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(field) ?? [];
    if (base64 === undefined) continue;
    const bytes = Buffer.from(base64, 'base64');
    const colon = bytes.indexOf(0x3a);
    if (colon >= 0) return { name: bytes.subarray(0, colon), password: bytes.subarray(colon + 1) };
  }
  return undefined;
}

export const HTTP_GRANTED = Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n');

const STATUS_TEXTS = {
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  407: 'Proxy Authentication Required',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
} as const;
export type HttpFailure = keyof typeof STATUS_TEXTS;

const FIELDS: Partial<Record<HttpFailure, string>> = {
  405: 'Allow: CONNECT\r\n',
  407: 'Proxy-Authenticate: Basic realm="tuntox", charset="UTF-8"\r\n',
};

/** @param why one line for people */
export function encodeHttpFailure(status: HttpFailure, why: string): Buffer {
  const body = Buffer.from(`${why}\n`);
  return Buffer.concat([
    Buffer.from(
      `HTTP/1.1 ${status} ${STATUS_TEXTS[status]}\r\n${FIELDS[status] ?? ''}` +
        `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
    ),
    body,
  ]);
}
