/** What the codecs of all protocols of the proxy share. */
import { domainToASCII } from 'node:url';
import { isIPv6 } from '../../base/ip-address.js';

/**
 * What a decoder finds at the beginning of a stream: a message and its size in bytes, too few bytes for one, or why they can be none.
 */
export type Decoded<Message, Failure extends string = 'invalid'> =
  | { readonly message: Message; readonly size: number }
  | 'incomplete'
  | Failure;

/** Bytes of a name, here and in a request for a tunnel. */
export const MAX_NAME_SIZE = 255;

/** Names of DNS, with the underscore that some machines have; and IPv4. */
const NAME = /^(?=.*[A-Za-z0-9])[A-Za-z0-9_.-]+$/;

/**
 * Returns a name in its DNS form, or a literal address without brackets. Names in other letters than ASCII are UTF-8, as browsers send
 * them. @returns undefined for what can be no host; other kinds of targets begin with a mark such as `/`
 */
export function proxyHost(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  const host = /^\p{ASCII}*$/u.test(text) ? text : domainToASCII(text);
  return host.length <= MAX_NAME_SIZE && (NAME.test(host) || isIPv6(host)) ? host : undefined;
}
