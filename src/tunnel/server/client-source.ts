/** From where a target on loopback is connected to: from an address that tells the client, where the owner wants that. */
import type { LookupAddress } from 'node:dns';
import { literalAddress } from '../wire/target.js';

/** An address of 127.0.0.0/8, or why there is none. */
export type Source = { readonly address: string } | { readonly error: string };

/** Returns from where a client's targets on loopback are connected to; undefined: from where the system chooses. */
export type SourceOf = (peerId: string) => Source | undefined;

export interface Sourced {
  /** For the addresses of 127.0.0.0/8 alone. */
  readonly source: Source | undefined;
  readonly addresses: readonly LookupAddress[];
}

/**
 * Decides about the addresses of a target. With a source, an address that arrives at IPv4 loopback is written as that, and `::1`
 * beside it is left out: on IPv6 there is one loopback address for all clients.
 */
export function withSource(found: readonly LookupAddress[], sourceOf: () => Source | undefined): Sourced {
  const isLoopback = found.some(({ address }) => loopbackIpv4(address) !== undefined);
  const source = isLoopback ? sourceOf() : undefined;
  if (source === undefined) return { source, addresses: found };
  const addresses = found.flatMap((one) => {
    const address = loopbackIpv4(one.address);
    if (address !== undefined) return [{ address, family: 4 }];
    return one.address === '::1' || one.address === '::' ? [] : [one];
  });
  return { source, addresses };
}

/** Returns the source for one address of `withSource`. */
export const sourceFor = (address: string, source: string | undefined): string | undefined =>
  address.startsWith('127.') ? source : undefined;

/** Returns the address of IPv4 loopback at which a connection to this one would arrive; undefined if it would arrive elsewhere. */
function loopbackIpv4(address: string): string | undefined {
  const literal = literalAddress(address);
  if (literal === '0.0.0.0') return '127.0.0.1';
  return literal?.startsWith('127.') === true ? literal : undefined;
}
