/**
 * Which addresses of ours a DHT public key announcement names: four nodes at the most. The peer asks each of them at once,
 * so naming ourselves saves it the search (docs/tox-protocol.md 4.5), and naming a node next to us helps where NAT hides us.
 */
import type { Endpoint } from '../../base/endpoint.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo, PackedNode } from '../packet/node-info.js';

/** Specification: an announcement carries at most four nodes. */
const MAX_NODES = 4;
/** Of which so many are ours, so that at least one slot is left for a DHT node near us. */
const MAX_OWN = 3;
/** Specification (c-toxcore MAX_SENT_RELAYS): relays; where we have addresses of our own one of them has to do. */
const MAX_RELAYS = 2;

export interface OwnAddresses {
  readonly dhtKey: PublicKey;
  /** Where a router lets everybody reach us, which others see only when it gives us the same port for what we send. */
  readonly externalEndpoint?: Endpoint | undefined;
  /** Where other nodes say they see us, the most reported first. */
  readonly reported: readonly Endpoint[];
  /** Addresses of our network interfaces, with the port of our socket. */
  readonly local: readonly Endpoint[];
  /** Good nodes, the closest to our DHT key first. */
  readonly neighbours: readonly NodeInfo[];
  /** TCP relays where we are to be met, the best first, and the one that we are by our own key at a loopback address. */
  readonly relays?: readonly NodeInfo[];
}

export function announcedNodes({
  dhtKey,
  externalEndpoint,
  reported,
  local,
  neighbours,
  relays = [],
}: OwnAddresses): PackedNode[] {
  // A loopback address means something only to peers on this machine: named when the network that we are in is there too.
  const isOnLoopback = neighbours.some((node) => node.endpoint.isLoopback);
  const candidates = [
    ...firstOfEachFamily([
      ...(externalEndpoint === undefined ? [] : [externalEndpoint]),
      ...reported.filter((endpoint) => !endpoint.isLan),
    ]),
    ...firstOfEachFamily(local.filter((endpoint) => !endpoint.isLan && endpoint.family === 6)),
    ...local.filter((endpoint) => endpoint.isLoopback && isOnLoopback),
    ...local.filter((endpoint) => endpoint.isLan && !endpoint.isLoopback && !endpoint.address.includes('%')),
    ...local.filter((endpoint) => !endpoint.isLan && endpoint.family === 4),
  ];
  const own = new Map<string, Endpoint>();
  const maxOwn = relays.length > 0 ? MAX_OWN - 1 : MAX_OWN;
  for (const endpoint of candidates) if (own.size < maxOwn) own.set(endpoint.key, endpoint);
  const nodes: PackedNode[] = [...own.values()].map((endpoint) => ({ transport: 'udp', endpoint, publicKey: dhtKey }));
  const open = ownRelayInTheOpen(relays, dhtKey, [...own.values()], local);
  const others = open === undefined ? relays : relays.filter(({ publicKey }) => !publicKey.equals(dhtKey));
  for (const { endpoint, publicKey } of [
    ...(open === undefined ? [] : [open]),
    ...others.slice(0, own.size > 0 ? 1 : MAX_RELAYS),
  ]) {
    nodes.push({ transport: 'tcp', endpoint, publicKey });
  }
  for (const { endpoint, publicKey } of neighbours) {
    if (nodes.length === MAX_NODES) break;
    nodes.push({ transport: 'udp', endpoint, publicKey });
  }
  return nodes;
}

/** Where no NAT is between the world and us, our own relay saves those who have no UDP the way over a third machine. */
function ownRelayInTheOpen(
  relays: readonly NodeInfo[],
  dhtKey: PublicKey,
  named: readonly Endpoint[],
  local: readonly Endpoint[],
): NodeInfo | undefined {
  const relay = relays.find(({ publicKey }) => publicKey.equals(dhtKey));
  const place = named.find(({ address, isLan }) => !isLan && local.some((one) => one.address === address));
  if (relay === undefined || place === undefined) return undefined;
  return { publicKey: dhtKey, endpoint: place.withPort(relay.endpoint.port) };
}

function firstOfEachFamily(endpoints: readonly Endpoint[]): Endpoint[] {
  return [4, 6].flatMap((family) => endpoints.find((endpoint) => endpoint.family === family) ?? []);
}
