/** The networks that a tunnel must come up in, and by which route. */
import type { LabOptions } from '../support/lab.js';

export interface Topology {
  readonly name: string;
  readonly options: LabOptions;
  /** Without one, LAN discovery alone has to do. */
  readonly hasBootstrapNode: boolean;
  /** How packets must go between alice and bob. */
  readonly route: 'direct' | 'relay';
  /** Where a direct route is between private addresses, behind the same NAT. */
  readonly isPrivate?: boolean;
  /** A router in it opens ports. */
  readonly needs?: 'gateway';
  /** ms to the first byte, cold, at the median: a mark for the benchmark. */
  readonly mark: number;
}

const direct = (name: string, mark: number, options: LabOptions): Topology => ({
  name,
  options,
  hasBootstrapNode: true,
  route: 'direct',
  mark,
});
const relay = (name: string, options: LabOptions): Topology => ({ ...direct(name, 3000, options), route: 'relay' });

export const TOPOLOGIES: readonly Topology[] = [
  { ...direct('lan', 1000, { topology: 'lan' }), isPrivate: true },
  { ...direct('lan without a bootstrap node', 1000, { topology: 'lan' }), isPrivate: true, hasBootstrapNode: false },
  direct('wan', 1000, { topology: 'wan' }),
  direct('nat - nat', 2000, { topology: 'nat' }),
  direct('full-cone-nat - nat', 2000, { alice: 'full-cone-nat', bob: 'nat' }),
  direct('public - symmetric-nat', 2000, { alice: 'public', bob: 'symmetric-nat' }),
  direct('symmetric-nat - public', 2000, { alice: 'symmetric-nat', bob: 'public' }),
  direct('IPv6 only', 1000, { topology: 'wan', 'ipv6-only': true }),
  direct('IPv6 only, with firewalls', 2000, { topology: 'nat', 'ipv6-only': true }),
  relay('symmetric-nat - nat', { alice: 'symmetric-nat', bob: 'nat' }),
  relay('symmetric-nat - symmetric-nat', { topology: 'symmetric-nat' }),
  { ...direct('upnp - symmetric-nat', 3000, { topology: 'upnp' }), needs: 'gateway' },
  { ...direct('symmetric-nat - upnp', 3000, { alice: 'symmetric-nat', bob: 'upnp' }), needs: 'gateway' },
  relay('udp-blocked - nat', { topology: 'udp-blocked' }),
  relay('udp-blocked - udp-blocked', { alice: 'udp-blocked', bob: 'udp-blocked' }),
  relay('proxy - nat', { topology: 'proxy' }),
];

export const DIRECT_TOPOLOGIES = TOPOLOGIES.filter(({ route }) => route === 'direct');
