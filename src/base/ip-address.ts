/** IPv6 addresses as text. Node's isIP and isIPv6 compile a large regular expression when they first meet one: 4 ms of a start. */
import { isIPv4, SocketAddress } from 'node:net';

const IPV6 = /^([\da-f]*:[\da-f:.]+)(%[\da-z.:-]+)?$/i;

/** Returns the canonical text of an IPv6 address, with its scope; undefined if it is none. */
export function canonicalIPv6(text: string): string | undefined {
  const [, address, scope = ''] = IPV6.exec(text) ?? [];
  if (address === undefined) return undefined;
  try {
    return new SocketAddress({ address, family: 'ipv6' }).address + scope;
  } catch {
    return undefined;
  }
}

export const isIPv6 = (text: string): boolean => canonicalIPv6(text) !== undefined;

/** Returns the family of an address; 0 if it is none. */
export function isIP(text: string): 0 | 4 | 6 {
  if (isIPv4(text)) return 4;
  return isIPv6(text) ? 6 : 0;
}
