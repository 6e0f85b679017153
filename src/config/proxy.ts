/**
 * The URL of a proxy, as in ALL_PROXY: `socks5://[USER:PASSWORD@]HOST[:PORT]` or `http://[USER:PASSWORD@]HOST:PORT`. What is
 * wrong with one is said without showing it, for it may hold a password.
 */
import { FormatError } from './format-error.js';
import { type HostAndPort, parseTarget } from './formats.js';

export interface ProxyAddress extends HostAndPort {
  readonly kind: 'socks5' | 'http';
  readonly credentials?: { readonly user: string; readonly password: string };
}

/** What the command was told, and where: on its command line others see it. */
export interface ProxySetting {
  readonly from: 'flag' | 'environment';
  readonly address: ProxyAddress;
}

/** For people: without the credentials. */
export const describeProxy = ({ kind, host, port }: ProxyAddress): string =>
  `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Names are never looked up here in either case, so that both mean the same. */
const KINDS: Readonly<Record<string, ProxyAddress['kind']>> = { socks5: 'socks5', socks5h: 'socks5', http: 'http' };
/** RFC 1928; for HTTP proxies there is no usual one, and programs disagree. */
const SOCKS_PORT = 1080;
/** RFC 1929. */
const MAX_SOCKS_LOGIN = 255;

const SUPPORTED = 'write socks5://[USER:PASSWORD@]HOST:PORT or http://[USER:PASSWORD@]HOST:PORT';

/** @returns undefined for `none` @throws FormatError */
export function parseProxyOrNone(text: string): ProxyAddress | undefined {
  return text === 'none' ? undefined : parseProxy(text);
}

/** @throws FormatError */
export function parseProxy(text: string): ProxyAddress {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*?)\/?$/is.exec(text.trim()) ?? [];
  if (scheme === undefined || rest === undefined) throw new FormatError(`this is not the URL of a proxy: ${SUPPORTED}`);
  const kind = KINDS[scheme.toLowerCase()];
  if (kind === undefined) {
    // Nothing but a word that anybody could guess: what stands there may be a secret in the wrong place.
    const known = ['socks', 'socks4', 'socks4a', 'https'].includes(scheme.toLowerCase()) ? `${scheme}://` : 'this kind';
    throw new FormatError(`proxies of ${known} are not supported: ${SUPPORTED}`);
  }
  // The last one: a password that was not encoded may have one too.
  const at = rest.lastIndexOf('@');
  const address = addressOf(kind, rest.slice(at + 1));
  return at < 0 ? { kind, ...address } : { kind, ...address, credentials: credentialsOf(kind, rest.slice(0, at)) };
}

function addressOf(kind: ProxyAddress['kind'], text: string): HostAndPort {
  const hasPort = !/^(?:\[[^\]]*\]|[^:]*)$/.test(text);
  if (!hasPort && kind === 'http') {
    throw new FormatError('the port of the HTTP proxy is missing: write it, as in http://HOST:3128');
  }
  try {
    return parseTarget(hasPort ? text : `${text}:${SOCKS_PORT}`);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`this URL of a proxy has no HOST:PORT that can be used: ${SUPPORTED}`);
  }
}

function credentialsOf(kind: ProxyAddress['kind'], text: string): { readonly user: string; readonly password: string } {
  const colon = text.indexOf(':');
  const user = decoded(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? '' : decoded(text.slice(colon + 1));
  if (kind === 'socks5') {
    for (const part of [user, password]) {
      const size = Buffer.byteLength(part);
      if (size < 1 || size > MAX_SOCKS_LOGIN) {
        throw new FormatError(`SOCKS5 wants a user and a password of 1 to ${MAX_SOCKS_LOGIN} bytes each, or neither`);
      }
    }
  } else if (user === '' || user.includes(':')) {
    throw new FormatError('the user of an HTTP proxy is not empty and has no colon');
  }
  return { user, password };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new FormatError('in user and password, % is followed by two hex digits: write %25 for % itself');
  }
}
