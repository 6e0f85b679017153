/** Why a socket cannot be opened, or a host cannot be found, in words that say what a person can do about it. */
import { CodedError, messageOf, systemCodeOf } from '../../base/coded-error.js';

export class NetworkError extends CodedError<
  'port-in-use' | 'no-permission' | 'no-address' | 'no-socket' | 'unknown-host' | 'timed-out'
> {}

/** The system's errors for an IPv6 socket on a machine without IPv6. */
const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT', 'EINVAL', 'ENODEV']);

export const isIpv6Missing = (error: unknown): boolean => NO_IPV6.has(systemCodeOf(error) ?? '');

/**
 * Explains why the system did not open a socket.
 * @param texts.what the port, as in "cannot open WHAT"
 * @param texts.inUse the message where another program has the port
 * @param texts.notAllowed the advice where this user may not open the port
 * @param texts.noAddress the message where the address does not belong to this machine
 */
export function openError(
  cause: unknown,
  texts: { readonly what: string; readonly inUse: string; readonly notAllowed: string; readonly noAddress: string },
): NetworkError {
  const { what, inUse, notAllowed, noAddress } = texts;
  switch (systemCodeOf(cause)) {
    case 'EADDRINUSE':
      return new NetworkError('port-in-use', inUse, { cause });
    case 'EACCES':
    case 'EPERM':
      return new NetworkError('no-permission', `not allowed to open ${what}: ${notAllowed}`, { cause });
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
    case 'ENOTFOUND':
      return new NetworkError('no-address', noAddress, { cause });
    default:
      return new NetworkError('no-socket', `cannot open ${what}: ${messageOf(cause)}`, { cause });
  }
}
