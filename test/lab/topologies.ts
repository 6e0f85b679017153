/** The networks that a tunnel must come up in, and by which route. */
import type { LabOptions } from '../support/lab.js';
import type { Way } from '../support/lab-route.js';

type Reason = 'udp-blocked' | 'punching-failed' | 'peer-tcp-only';

export interface Topology {
  readonly name: string;
  readonly options: LabOptions;
  /** Further arguments for our commands. */
  readonly args?: readonly string[];
  /** For the client alone. */
  readonly clientArgs?: readonly string[];
  /** Without one, LAN discovery alone has to do. */
  readonly hasBootstrapNode: boolean;
  /** How packets must go between alice and bob. */
  readonly route: Way;
  /** Why it is no direct one, as alice and as bob see it; they say so once it is certain. */
  readonly reasons?: readonly [alice: Reason, bob: Reason];
  /** Where a direct route is between private addresses, behind the same NAT. */
  readonly isPrivate?: boolean;
  /** Both have to send before either hears anything. */
  readonly isPunched?: boolean;
  /** A router in it opens ports, or is a proxy that the client has to use. */
  readonly needs?: 'gateway' | 'proxy';
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
const relay = (name: string, reasons: Topology['reasons'], options: LabOptions): Topology => ({
  ...direct(name, 3000, options),
  ...(reasons && { reasons }),
  route: 'relay',
});
const relayOfPeer = (name: string, reasons: Topology['reasons'], options: LabOptions): Topology => ({
  ...relay(name, reasons, options),
  args: ['-t', '443'],
  route: 'relay of the peer',
});

const proxied = (name: string, url: string): Topology => ({
  ...relay(name, undefined, { topology: 'proxy' }),
  clientArgs: ['--proxy', url],
  needs: 'proxy',
});

export const TOPOLOGIES: readonly Topology[] = [
  { ...direct('lan', 1000, { topology: 'lan' }), isPrivate: true },
  { ...direct('lan without a bootstrap node', 1000, { topology: 'lan' }), isPrivate: true, hasBootstrapNode: false },
  direct('wan', 1000, { topology: 'wan' }),
  { ...direct('nat - nat', 2000, { topology: 'nat' }), isPunched: true },
  direct('full-cone-nat - nat', 2000, { alice: 'full-cone-nat', bob: 'nat' }),
  direct('public - symmetric-nat', 2000, { alice: 'public', bob: 'symmetric-nat' }),
  direct('symmetric-nat - public', 2000, { alice: 'symmetric-nat', bob: 'public' }),
  direct('IPv6 only', 1000, { topology: 'wan', 'ipv6-only': true }),
  direct('IPv6 only, with firewalls', 2000, { topology: 'nat', 'ipv6-only': true }),
  relay('symmetric-nat - nat', ['punching-failed', 'punching-failed'], { alice: 'symmetric-nat', bob: 'nat' }),
  relay('symmetric-nat - symmetric-nat', ['punching-failed', 'punching-failed'], { topology: 'symmetric-nat' }),
  { ...direct('upnp - symmetric-nat', 3000, { topology: 'upnp' }), needs: 'gateway' },
  { ...direct('symmetric-nat - upnp', 3000, { alice: 'symmetric-nat', bob: 'upnp' }), needs: 'gateway' },
  relay('udp-blocked - nat', ['udp-blocked', 'peer-tcp-only'], { topology: 'udp-blocked' }),
  relay('udp-blocked - udp-blocked', ['udp-blocked', 'udp-blocked'], { alice: 'udp-blocked', bob: 'udp-blocked' }),
  relayOfPeer('udp-blocked - public', ['udp-blocked', 'peer-tcp-only'], { alice: 'udp-blocked', bob: 'public' }),
  relayOfPeer('public - udp-blocked', ['peer-tcp-only', 'udp-blocked'], { alice: 'public', bob: 'udp-blocked' }),
  proxied('SOCKS5 proxy - nat', 'socks5://alice:wonderland@10.1.0.1:1080'),
  proxied('HTTP proxy - nat', 'http://10.1.0.1:3128'),
];

export const DIRECT_TOPOLOGIES = TOPOLOGIES.filter(({ route }) => route === 'direct');

/** Those without a direct way by UDP, where nothing but TCP to anywhere is needed. */
export const RELAY_TOPOLOGIES = TOPOLOGIES.filter(({ route, needs }) => route !== 'direct' && needs === undefined);

/** Where the addresses that peers have are those that the world sees. */
export const isUntranslated = ({ options }: Topology): boolean => options['ipv6-only'] === true;
