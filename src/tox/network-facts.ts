/** The facts about this machine's own network, as far as the stack has seen, for people and programs (JSON). */
import type { UdpHealth } from './dht/rpc/udp-health.js';
import type { ReportedEndpoint } from './dht/search/address-reports.js';
import type { SocketKind } from './network/datagram-socket.js';
import type { NodeInfo } from './packet/node-info.js';
import type { UnresolvedHost } from './unresolved-hosts.js';

/** Our own UDP: why there is none, or whether nodes answer. */
export type OwnUdp = { readonly kind: 'proxy' } | { readonly kind: 'off' } | UdpHealth;

/** Whether UDP `works` beyond our own network, or why not; `being-tried` before there was time for an answer. */
export const UDP_STATES = {
  proxy: 'proxy',
  off: 'udp-off',
  silent: 'udp-blocked',
  untried: 'being-tried',
  answers: 'works',
} as const satisfies Record<OwnUdp['kind'], string>;
export type UdpState = (typeof UDP_STATES)[OwnUdp['kind']];

export interface RelayFacts {
  /** Hex. */
  readonly publicKey: string;
  /** `host:port` */
  readonly endpoint: string;
}

/**
 * How nodes see us. `same-port`: all see the same address and port, our own or that of a NAT that can be punched. `symmetric`: each
 * sees another one, as will a peer. `unknown`: fewer than two nodes have reported.
 */
export interface NatFacts {
  readonly kind: 'unknown' | 'same-port' | 'symmetric';
  /** The address that most nodes see. */
  readonly endpoint: string | undefined;
}

export interface NetworkFacts {
  /** Whether peers can find us. */
  readonly isOnline: boolean;
  readonly udp: UdpState;
  readonly ipv4: NatFacts;
  readonly ipv6: NatFacts;
  /** Relays at which peers reach us. */
  readonly relays: readonly RelayFacts[];
  /** The TCP port of our own relay; undefined without one. */
  readonly relayPort: number | undefined;
  /** The number of peers that use our own relay. */
  readonly relayClients: number;
  /** Bytes that our own relay has relayed for them since the start. */
  readonly relayedBytes: number;
  /** Packets since the start that were malformed, forged, not for us, or above a limit, by layer. */
  readonly dropped: { readonly onion: number; readonly netCrypto: number };
  /** Lossy packets to peers, which carry datagrams, for which the path had no room since the start. */
  readonly lossyDropped: number;
  /** 0 without UDP. */
  readonly udpPort: number;
  /** What sends datagrams: our addon, in batches, or Node; undefined without UDP. */
  readonly udpSocket: SocketKind | undefined;
  /** The external address that a router gave our UDP port, or else our relay, and by which protocol. */
  readonly mapping: MappingFacts | undefined;
  /** The bootstrap nodes, and how many of them answered. */
  readonly bootstrapNodes: BootstrapFacts;
}

export interface BootstrapFacts {
  /** Nodes that have an address. */
  readonly known: number;
  readonly answering: number;
  /** Nodes whose names have no address. */
  readonly unresolved: readonly UnresolvedHost[];
}

export interface MappingFacts {
  /** `host:port` */
  readonly outside: string;
  readonly by: 'PCP' | 'NAT-PMP' | 'UPnP';
}

export interface NetworkEvidence extends Omit<NetworkFacts, 'udp' | 'ipv4' | 'ipv6' | 'relays'> {
  readonly ownUdp: OwnUdp;
  /** Our addresses as nodes see them, each with the number of nodes, the most reported first. */
  readonly reported: readonly ReportedEndpoint[];
  readonly relays: readonly NodeInfo[];
}

export function networkFacts({ ownUdp, reported, relays, ...plain }: NetworkEvidence): NetworkFacts {
  return {
    ...plain,
    udp: UDP_STATES[ownUdp.kind],
    ipv4: natFacts(reported.filter(({ endpoint }) => endpoint.family === 4)),
    ipv6: natFacts(reported.filter(({ endpoint }) => endpoint.family === 6)),
    relays: relays.map(relayFacts),
  };
}

export const relayFacts = ({ publicKey, endpoint }: NodeInfo): RelayFacts => ({
  publicKey: publicKey.hex,
  endpoint: endpoint.key,
});

/** Neighbours, which see our private address, count only when no other nodes report. */
function natFacts(reported: readonly ReportedEndpoint[]): NatFacts {
  const beyond = reported.filter(({ endpoint }) => !endpoint.isLan);
  const seen = beyond.length > 0 ? beyond : reported;
  const [most] = seen;
  const reports = seen.reduce((sum, { count }) => sum + count, 0);
  if (most === undefined || reports < 2) return { kind: 'unknown', endpoint: most?.endpoint.key };
  // After a restart of a NAT some reports are old: the majority decides.
  return { kind: most.count * 2 > reports ? 'same-port' : 'symmetric', endpoint: most.endpoint.key };
}
