/**
 * The URL of a proxy, as in ALL_PROXY: `socks5://[USER:PASSWORD@]HOST[:PORT]` or `http://[USER:PASSWORD@]HOST:PORT`. Errors do not
 * show it, because it may contain a password.
 */
import { hostAndPort } from '../base/endpoint.js';
import { FormatError } from './format-error.js';
import { type HostAndPort, parseTarget } from './formats.js';

export interface ProxyAddress extends HostAndPort {
  readonly kind: 'socks5' | 'http';
  readonly credentials?: { readonly user: string; readonly password: string };
}

/** A proxy and where it was given: other users can see the command line. `settings`: those of the user's daemon. */
export interface ProxySetting {
  readonly from: 'flag' | 'environment' | 'settings';
  readonly address: ProxyAddress;
}

/** Returns the URL without the credentials. */
export const describeProxy = (proxy: ProxyAddress): string => `${proxy.kind}://${hostAndPort(proxy)}`;

/** socks5 and socks5h mean the same, because names are never looked up here. */
const KINDS: Readonly<Record<string, ProxyAddress['kind']>> = { socks5: 'socks5', socks5h: 'socks5', http: 'http' };
/** RFC 1928. HTTP proxies have no default port that programs agree on. */
const SOCKS_PORT = 1080;
/** RFC 1929. */
const MAX_SOCKS_LOGIN = 255;

const SUPPORTED = 'use socks5://[USER:PASSWORD@]HOST:PORT or http://[USER:PASSWORD@]HOST:PORT';

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
    // Only a well-known word is repeated: another one may be a secret in the wrong place.
    const known = ['socks', 'socks4', 'socks4a', 'https'].includes(scheme.toLowerCase()) ? `${scheme}://` : 'this kind';
    throw new FormatError(`proxies of ${known} are not supported: ${SUPPORTED}`);
  }
  // The last @, because a password that is not encoded may contain another one.
  const at = rest.lastIndexOf('@');
  const address = addressOf(kind, rest.slice(at + 1));
  return at < 0 ? { kind, ...address } : { kind, ...address, credentials: credentialsOf(kind, rest.slice(0, at)) };
}

function addressOf(kind: ProxyAddress['kind'], text: string): HostAndPort {
  const hasPort = !/^(?:\[[^\]]*\]|[^:]*)$/.test(text);
  if (!hasPort && kind === 'http') {
    throw new FormatError('the port of the HTTP proxy is missing: add it, as in http://HOST:3128');
  }
  try {
    return parseTarget(hasPort ? text : `${text}:${SOCKS_PORT}`);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`this URL of a proxy has no valid HOST:PORT: ${SUPPORTED}`);
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
        throw new FormatError(`SOCKS5 needs a user and a password of 1 to ${MAX_SOCKS_LOGIN} bytes each, or neither`);
      }
    }
  } else if (user === '' || user.includes(':')) {
    throw new FormatError('the user of an HTTP proxy must not be empty or contain a colon');
  }
  return { user, password };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new FormatError('in a user or password, % must be followed by two hex digits: write %25 for % itself');
  }
}
