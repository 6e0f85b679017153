/**
 * The handshakes of SOCKS5 and HTTP proxies. Pure: bytes in, bytes out. Destinations are always literal addresses, so neither
 * this machine nor the proxy looks up names.
 *
 *     SOCKS5 (RFC 1928, 1929)   05 || n || methods           ->   05 || method (0 none, 2 user and password)
 *                               01 || n || user || n || password  ->   01 || 00
 *                               05 01 00 || 01 | 04 || address || port u16   ->   05 || 00 || 00 || type || address || port
 *     HTTP (RFC 9110, 9.3.6)    CONNECT address:port HTTP/1.1, headers, empty line   ->   HTTP/1.x 2xx …, headers, empty line
 */
import { ByteWriter } from '../../base/bytes.js';
import { type Endpoint, hostAndPort } from '../../base/endpoint.js';

interface ProxyCredentials {
  /** 1 to 255 bytes each, as UTF-8. */
  readonly user: string;
  readonly password: string;
}

export interface ProxyServer {
  readonly kind: 'socks5' | 'http';
  /** A literal address, or a name. */
  readonly host: string;
  readonly port: number;
  readonly credentials?: ProxyCredentials;
}

/** The proxy as text, without its credentials. */
export const proxyName = (proxy: ProxyServer): string => `${proxy.kind}://${hostAndPort(proxy)}`;

/** Why a proxy is unusable, whatever the destination. */
export type ProxyErrorCode = 'unreachable' | 'silent' | 'not-a-proxy' | 'credentials' | 'refuses';

/** The next step after the bytes received so far. */
export type ProxyProgress =
  | { readonly kind: 'wait' }
  | { readonly kind: 'send'; readonly bytes: Buffer }
  /** `rest` holds the first bytes of the destination. */
  | { readonly kind: 'connected'; readonly rest: Buffer }
  /** `code` is undefined if the proxy works and only the destination cannot be reached. */
  | { readonly kind: 'failed'; readonly code: ProxyErrorCode | undefined; readonly reason: string };

export interface ProxyHandshake {
  /** Returns the first bytes to send. */
  begin(): Buffer;
  receive(bytes: Buffer): ProxyProgress;
  /** Whether the proxy has accepted us, so that a later failure concerns the destination only. */
  readonly isAdmitted: boolean;
}

/** @throws RangeError if SOCKS5 cannot carry the credentials */
export function proxyHandshake(proxy: ProxyServer, to: Endpoint): ProxyHandshake {
  return proxy.kind === 'socks5'
    ? new Socks5Handshake(to, proxy.credentials)
    : new HttpHandshake(to, proxy.credentials);
}

const WAIT: ProxyProgress = { kind: 'wait' };
const failed = (code: ProxyErrorCode | undefined, reason: string): ProxyProgress => ({ kind: 'failed', code, reason });

const SOCKS_VERSION = 5;
const NO_AUTHENTICATION = 0;
const USER_AND_PASSWORD = 2;
/** RFC 1928, section 6. */
const NOT_ALLOWED = 2;
const SOCKS_ERRORS = [
  '',
  'general failure',
  'not allowed by its rules',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'time to live expired',
  'command not supported',
  'address type not supported',
];

class Socks5Handshake implements ProxyHandshake {
  readonly #to: Endpoint;
  readonly #credentials: ProxyCredentials | undefined;
  #state: 'method' | 'login' | 'connect' = 'method';
  #buffer = Buffer.alloc(0);

  constructor(to: Endpoint, credentials: ProxyCredentials | undefined) {
    this.#to = to;
    this.#credentials = credentials;
    if (credentials === undefined) return;
    for (const text of [credentials.user, credentials.password]) {
      const size = Buffer.byteLength(text);
      if (size < 1 || size > 255) throw new RangeError('SOCKS5: user and password have 1 to 255 bytes');
    }
  }

  get isAdmitted(): boolean {
    return this.#state === 'connect';
  }

  begin(): Buffer {
    const methods = this.#credentials === undefined ? [NO_AUTHENTICATION] : [NO_AUTHENTICATION, USER_AND_PASSWORD];
    return Buffer.from([SOCKS_VERSION, methods.length, ...methods]);
  }

  receive(bytes: Buffer): ProxyProgress {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    if (this.#buffer.length < 2) return WAIT;
    switch (this.#state) {
      case 'method':
        return this.#onMethod();
      case 'login':
        return this.#onLogin();
      case 'connect':
        return this.#onConnected();
    }
  }

  #onMethod(): ProxyProgress {
    const [version, method] = this.#take(2) as unknown as [number, number];
    if (version !== SOCKS_VERSION) return failed('not-a-proxy', 'the proxy does not speak SOCKS5');
    if (method === NO_AUTHENTICATION) return this.#connect();
    if (method !== USER_AND_PASSWORD || this.#credentials === undefined) {
      return failed(
        'credentials',
        this.#credentials === undefined
          ? 'the proxy requires a user and a password'
          : 'the proxy requires an unsupported authentication method',
      );
    }
    this.#state = 'login';
    const user = Buffer.from(this.#credentials.user);
    const password = Buffer.from(this.#credentials.password);
    const login = new ByteWriter(3 + user.length + password.length);
    return {
      kind: 'send',
      bytes: login.u8(1).u8(user.length).bytes(user).u8(password.length).bytes(password).finish(),
    };
  }

  #onLogin(): ProxyProgress {
    return this.#take(2)[1] === 0 ? this.#connect() : failed('credentials', 'the proxy refuses this user and password');
  }

  #connect(): ProxyProgress {
    this.#state = 'connect';
    const address = this.#to.toBytes();
    const request = new ByteWriter(6 + address.length).u8(SOCKS_VERSION).u8(1).u8(0);
    const bytes = request
      .u8(address.length === 4 ? 1 : 4)
      .bytes(address)
      .u16(this.#to.port)
      .finish();
    return { kind: 'send', bytes };
  }

  #onConnected(): ProxyProgress {
    const [version, code] = this.#buffer as unknown as [number, number];
    if (version !== SOCKS_VERSION) return failed('not-a-proxy', 'the proxy does not speak SOCKS5');
    if (code !== 0) {
      const reason = `the proxy cannot reach it: ${SOCKS_ERRORS[code] ?? `code ${code}`}`;
      return failed(code === NOT_ALLOWED ? 'refuses' : undefined, reason);
    }
    if (this.#buffer.length < 5) return WAIT;
    const size = socksReplySize(this.#buffer);
    if (size === undefined) return failed('not-a-proxy', 'the proxy answered with an unknown address type');
    if (this.#buffer.length < size) return WAIT;
    return { kind: 'connected', rest: this.#buffer.subarray(size) };
  }

  #take(size: number): Buffer {
    const taken = this.#buffer.subarray(0, size);
    this.#buffer = this.#buffer.subarray(size);
    return taken;
  }
}

function socksReplySize(reply: Buffer): number | undefined {
  switch (reply[3]) {
    case 1:
      return 6 + 4;
    case 3:
      return 7 + (reply[4] as number);
    case 4:
      return 6 + 16;
    default:
      return undefined;
  }
}

/** Bytes of a response header; a server that sends more is no proxy. */
const MAX_HTTP_HEADER = 16 * 1024;

class HttpHandshake implements ProxyHandshake {
  /** An HTTP proxy accepts us and connects with the same response. */
  readonly isAdmitted = false;
  readonly #to: Endpoint;
  readonly #credentials: ProxyCredentials | undefined;
  #buffer = Buffer.alloc(0);

  constructor(to: Endpoint, credentials: ProxyCredentials | undefined) {
    this.#to = to;
    this.#credentials = credentials;
  }

  begin(): Buffer {
    const lines = [`CONNECT ${this.#to.key} HTTP/1.1`, `Host: ${this.#to.key}`];
    if (this.#credentials !== undefined) {
      const { user, password } = this.#credentials;
      lines.push(`Proxy-Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`);
    }
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  }

  receive(bytes: Buffer): ProxyProgress {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    const end = this.#buffer.indexOf('\r\n\r\n');
    if (end < 0 && this.#buffer.length <= MAX_HTTP_HEADER) return WAIT;
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(this.#buffer.toString('latin1', 0, 12))?.[1];
    if (end < 0 || status === undefined) return failed('not-a-proxy', 'the proxy does not speak HTTP');
    if (status === '407') {
      const isKnown = this.#credentials !== undefined;
      return failed(
        'credentials',
        `the proxy ${isKnown ? 'refuses this user and password' : 'requires a user and a password'}`,
      );
    }
    if (!status.startsWith('2')) {
      // With 4xx the proxy refuses, with 5xx it cannot reach the destination.
      return failed(status.startsWith('4') ? 'refuses' : undefined, `the proxy cannot reach it: HTTP status ${status}`);
    }
    return { kind: 'connected', rest: this.#buffer.subarray(end + 4) };
  }
}
