/** Facts of connections and networks, as a stack would give them. */
import type { ConnectionFacts, ConnectionPath } from '../../../src/tox/connection-facts.js';
import type { NetworkFacts } from '../../../src/tox/network-facts.js';

type Relayed = Extract<ConnectionPath, { kind: 'relayed' }>;

const SINCE = { since: 1_800_000_000, age: 5_000 };

export const direct = (endpoint = '192.0.2.1:33445'): ConnectionPath => ({ kind: 'direct', endpoint, ...SINCE });

export const relayed = (reason: Relayed['reason'], relay: Relayed['relay'] = undefined): ConnectionPath => ({
  kind: 'relayed',
  reason,
  relay,
  ...SINCE,
});

export const none = (reason: Extract<ConnectionPath, { kind: 'none' }>['reason']): ConnectionPath => ({
  kind: 'none',
  reason,
  ...SINCE,
});

export const factsOf = (path: ConnectionPath, more: Partial<ConnectionFacts> = {}): ConnectionFacts => ({
  path,
  rtt: 12.34,
  received: { bytes: 1_234_567, rate: 300_000 },
  sent: { bytes: 999, rate: 0 },
  retransmissions: 3,
  lossyDropped: 0,
  lastError: undefined,
  ...more,
});

export const networkFactsOf = (more: Partial<NetworkFacts>): NetworkFacts => ({
  isOnline: false,
  udp: 'being-tried',
  ipv4: { kind: 'unknown', endpoint: undefined },
  ipv6: { kind: 'unknown', endpoint: undefined },
  relays: [],
  relayPort: undefined,
  relayClients: 0,
  relayedBytes: 0,
  dropped: { onion: 0, netCrypto: 0 },
  lossyDropped: 0,
  udpPort: 33445,
  udpSocket: undefined,
  mapping: undefined,
  bootstrapNodes: { known: 1, answering: 0, unresolved: [] },
  ...more,
});
