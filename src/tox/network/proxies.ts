/**
 * What is said to a proxy before a connection through it stands. Pure: bytes in, bytes out. Addresses are always literal, so
 * that nothing is looked up here, nor by the proxy.
 *
 *     SOCKS5 (RFC 1928, 1929)   05 || n || methods           ->   05 || method (0 none, 2 user and password)
 *                               01 || n || user || n || password  ->   01 || 00
 *                               05 01 00 || 01 | 04 || address || port u16   ->   05 || 00 || 00 || type || address || port
 *     HTTP (RFC 9110, 9.3.6)    CONNECT address:port HTTP/1.1, headers, empty line   ->   HTTP/1.x 2xx …, headers, empty line
 */
import { ByteWriter } from '../../base/bytes.js';
import type { Endpoint } from '../../base/endpoint.js';

export interface ProxyCredentials {
  /** 1 to 255 bytes each, as UTF-8. */
  readonly user: string;
  readonly password: string;
}

export interface ProxyServer {
  readonly kind: 'socks5' | 'http';
  /** A literal address, or a name: the only one that is ever looked up. */
  readonly host: string;
  readonly port: number;
  readonly credentials?: ProxyCredentials;
}

/** For people: without the credentials. */
export const proxyName = ({ kind, host, port }: ProxyServer): string =>
  `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}`;

/** What keeps a proxy from being one for us, as against a destination that it cannot reach. */
export type ProxyFaultCode = 'unreachable' | 'silent' | 'not-a-proxy' | 'credentials' | 'refuses';

/** What came of the bytes so far. */
export type ProxyProgress =
  | { readonly kind: 'wait' }
  | { readonly kind: 'send'; readonly bytes: Buffer }
  /** `rest` is the first of what the destination sent. */
  | { readonly kind: 'connected'; readonly rest: Buffer }
  /** `fault` is undefined when it is the destination's. */
  | { readonly kind: 'failed'; readonly fault: ProxyFaultCode | undefined; readonly reason: string };

export interface ProxyHandshake {
  /** What to send first. */
  begin(): Buffer;
  receive(bytes: Buffer): ProxyProgress;
  /** Whether it has proved to be a proxy that lets us in: what fails later is the destination's fault. */
  readonly isAdmitted: boolean;
}

/** @throws RangeError when SOCKS5 cannot carry the credentials */
export function proxyHandshake(proxy: ProxyServer, to: Endpoint): ProxyHandshake {
  return proxy.kind === 'socks5'
    ? new Socks5Handshake(to, proxy.credentials)
    : new HttpHandshake(to, proxy.credentials);
}

const WAIT: ProxyProgress = { kind: 'wait' };
const failed = (fault: ProxyFaultCode | undefined, reason: string): ProxyProgress => ({
  kind: 'failed',
  fault,
  reason,
});

const SOCKS_VERSION = 5;
const NO_AUTHENTICATION = 0;
const USER_AND_PASSWORD = 2;
/** RFC 1928, section 6. */
const NOT_ALLOWED = 2;
const SOCKS_FAILURES = [
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
      const fault = code === NOT_ALLOWED ? 'refuses' : undefined;
      return failed(fault, `the proxy cannot reach it: ${SOCKS_FAILURES[code] ?? `code ${code}`}`);
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

/** bytes of an answer's header; a proxy that says more is none. */
const MAX_HTTP_HEADER = 16 * 1024;

class HttpHandshake implements ProxyHandshake {
  /** Its first answer is its last. */
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
      // 4xx: it will not; 5xx: it cannot.
      const fault = status.startsWith('4') ? 'refuses' : undefined;
      return failed(fault, `the proxy cannot reach it: HTTP status ${status}`);
    }
    return { kind: 'connected', rest: this.#buffer.subarray(end + 4) };
  }
}
