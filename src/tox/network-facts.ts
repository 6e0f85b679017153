/** What this machine's own network is like, as far as the stack has seen: for people and programs, as it stands (JSON). */
import type { ReportedEndpoint } from './dht/search/address-reports.js';
import type { OwnUdp } from './friend/relay-reason.js';
import type { SocketKind } from './network/datagram-socket.js';
import type { NodeInfo } from './packet/node-info.js';
import type { UnresolvedHost } from './unresolved-hosts.js';

/** UDP to the world: `works`, or why not; `being-tried` before there was time for an answer. */
export type UdpState = 'works' | 'udp-blocked' | 'being-tried' | 'udp-off' | 'proxy';

export interface RelayFacts {
  /** Hex. */
  readonly publicKey: string;
  /** `host:port` */
  readonly endpoint: string;
}

/**
 * How nodes see us. `same-port`: all see the same address and port, be it ours or that of a NAT that can be punched.
 * `symmetric`: each sees another one, and so will a peer. `unknown`: fewer than two have told.
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
  /** Relays at which we are to be met. */
  readonly relays: readonly RelayFacts[];
  /** The TCP port on which we are a relay for others; undefined when we are none. */
  readonly relayPort: number | undefined;
  /** Peers that use the relay that we are. */
  readonly relayClients: number;
  /** Bytes that it passed on for them since the start, without our own. */
  readonly relayedBytes: number;
  /** 0 without UDP. */
  readonly udpPort: number;
  /** By what datagrams go: our addon, in batches, or Node; undefined without UDP. */
  readonly udpSocket: SocketKind | undefined;
  /** Where a router lets the world reach our UDP port, else our relay, and by which protocol. */
  readonly mapping: MappingFacts | undefined;
  /** Nodes through which we enter the network, and how many of them answered. */
  readonly bootstrapNodes: BootstrapFacts;
}

export interface BootstrapFacts {
  /** Those that have an address. */
  readonly known: number;
  readonly answering: number;
  /** Those whose names have none. */
  readonly unresolved: readonly UnresolvedHost[];
}

export interface MappingFacts {
  /** `host:port` */
  readonly outside: string;
  readonly by: 'PCP' | 'NAT-PMP' | 'UPnP';
}

/** What needs no judgement. */
type Plain = Omit<NetworkFacts, 'udp' | 'ipv4' | 'ipv6' | 'relays'>;

export interface NetworkEvidence extends Plain {
  readonly ownUdp: OwnUdp;
  /** Our addresses as nodes see them, each with the number of nodes, the most reported first. */
  readonly reported: readonly ReportedEndpoint[];
  readonly relays: readonly NodeInfo[];
}

export function networkFacts({ ownUdp, reported, relays, ...plain }: NetworkEvidence): NetworkFacts {
  return {
    ...plain,
    udp: udpState(ownUdp),
    ipv4: natFacts(reported.filter(({ endpoint }) => endpoint.family === 4)),
    ipv6: natFacts(reported.filter(({ endpoint }) => endpoint.family === 6)),
    relays: relays.map(relayFacts),
  };
}

export const relayFacts = ({ publicKey, endpoint }: NodeInfo): RelayFacts => ({
  publicKey: publicKey.hex,
  endpoint: endpoint.key,
});

function udpState(udp: OwnUdp): UdpState {
  switch (udp.kind) {
    case 'proxy':
      return 'proxy';
    case 'off':
      return 'udp-off';
    case 'silent':
      return 'udp-blocked';
    case 'untried':
      return 'being-tried';
    case 'answers':
      return 'works';
  }
}

/** Neighbours see our private address: they count only where nobody else does. */
function natFacts(reported: readonly ReportedEndpoint[]): NatFacts {
  const beyond = reported.filter(({ endpoint }) => !endpoint.isLan);
  const seen = beyond.length > 0 ? beyond : reported;
  const [most] = seen;
  const reports = seen.reduce((sum, { count }) => sum + count, 0);
  if (most === undefined || reports < 2) return { kind: 'unknown', endpoint: most?.endpoint.key };
  // A NAT that was restarted leaves some old reports behind: the greater part decides.
  return { kind: most.count * 2 > reports ? 'same-port' : 'symmetric', endpoint: most.endpoint.key };
}
