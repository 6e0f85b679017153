/**
 * The announcement of our DHT key to one friend (spec: "DHT public key packet"): the nodes that it names, its counter, and the
 * form in which it travels as a DHT request instead of through the onion:
 *
 *     sender's real key (32) || nonce (24) || sealed from real key to real key: the announcement, as onion data
 */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import { seal } from '../crypto/box.js';
import { PUBLIC_KEY_SIZE, PublicKey } from '../crypto/keys.js';
import type { SharedKeyCache } from '../crypto/shared-key-cache.js';
import { MAC_SIZE, NONCE_SIZE } from '../crypto/sodium.js';
import type { Dht } from '../dht/dht.js';
import type { NodeInfo, PackedNode } from '../packet/node-info.js';

/** Specification: an announcement names at most four nodes. */
const MAX_NODES = 4;
/** Addresses of our own among them, so that at least one place is left for a DHT node near us. */
const MAX_OWN = 3;
/** Specification (c-toxcore MAX_SENT_RELAYS): relays among them; only one if we have addresses of our own. */
const MAX_RELAYS = 2;
/** Seconds by which the counter may be ahead of the clock: after a restart it must not be behind for long. */
const MAX_LEAD = 2;

export interface OwnAddresses {
  readonly dhtKey: PublicKey;
  /** The external address that a router gave us; other nodes see it only if the router uses the same port for outgoing packets. */
  readonly externalEndpoint?: Endpoint | undefined;
  /** Our addresses as other nodes see them, the most reported first. */
  readonly reported: readonly Endpoint[];
  /** The addresses of our network interfaces, with the port of our socket. */
  readonly local: readonly Endpoint[];
  /** Good nodes, the closest to our DHT key first. */
  readonly neighbours: readonly NodeInfo[];
  /** TCP relays at which we can be reached, the best first, and our own relay with our DHT key and a loopback address. */
  readonly relays?: readonly NodeInfo[];
}

/**
 * Returns the DHT nodes near us that an announcement may name. Where all of them are suspect, as the only one of a machine may be while
 * that is busy, those are named: without any, the announcement would lack our loopback address as well.
 */
export function neighboursOf(known: Pick<Dht['known'], 'closest' | 'near'>, dhtKey: PublicKey): NodeInfo[] {
  const answering = known.closest(dhtKey, MAX_NODES, { lan: true });
  return answering.length > 0 ? answering : known.near().slice(0, MAX_NODES);
}

/**
 * Returns the nodes to announce. The peer asks each of them at once: our own addresses save it the search (docs/tox-protocol.md 4.5),
 * and a node next to us helps when we are behind a NAT.
 */
export function announcedNodes({
  dhtKey,
  externalEndpoint,
  reported,
  local,
  neighbours,
  relays = [],
}: OwnAddresses): PackedNode[] {
  // A loopback address is useful only to peers on this machine: it is announced when the network is on this machine, too.
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
  const ownRelay = publicOwnRelay(relays, dhtKey, [...own.values()], local);
  const others = ownRelay === undefined ? relays : relays.filter(({ publicKey }) => !publicKey.equals(dhtKey));
  const named = [...(ownRelay === undefined ? [] : [ownRelay]), ...others.slice(0, own.size > 0 ? 1 : MAX_RELAYS)];
  const nodes: PackedNode[] = [
    ...[...own.values()].map((endpoint) => ({ transport: 'udp', endpoint, publicKey: dhtKey }) as const),
    ...named.map(({ endpoint, publicKey }) => ({ transport: 'tcp', endpoint, publicKey }) as const),
  ];
  for (const { endpoint, publicKey } of neighbours.slice(0, Math.max(0, MAX_NODES - nodes.length))) {
    nodes.push({ transport: 'udp', endpoint, publicKey });
  }
  return nodes;
}

/** Returns our own relay with a public address, if no NAT is in front of us: then a peer without UDP needs no third machine. */
function publicOwnRelay(
  relays: readonly NodeInfo[],
  dhtKey: PublicKey,
  announced: readonly Endpoint[],
  local: readonly Endpoint[],
): NodeInfo | undefined {
  const relay = relays.find(({ publicKey }) => publicKey.equals(dhtKey));
  const place = announced.find(({ address, isLan }) => !isLan && local.some((one) => one.address === address));
  if (relay === undefined || place === undefined) return undefined;
  return { publicKey: dhtKey, endpoint: place.withPort(relay.endpoint.port) };
}

function firstOfEachFamily(endpoints: readonly Endpoint[]): Endpoint[] {
  return [4, 6].flatMap((family) => endpoints.find((endpoint) => endpoint.family === family) ?? []);
}

/**
 * The counter of the announcements for one friend: unix time in seconds, as in c-toxcore. c-toxcore ignores an announcement
 * whose counter is not greater than the last one, which saves it work. But it ties a relay to a friend only by the second
 * announcement that it accepts (docs/tox-protocol.md 4.5), so announcements that name relays must not wait for the next second.
 */
export class AnnouncementCounter {
  readonly #clock: Clock;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param isNew whether the friend must accept this announcement even within the same second */
  next(isNew: boolean): bigint {
    const now = this.#clock.unixTime();
    const next = isNew ? Math.min(this.#last + 1, now + MAX_LEAD) : this.#last;
    this.#last = Math.max(now, this.#last, next);
    return BigInt(this.#last);
  }
}

export interface DhtAnnouncement {
  readonly sender: PublicKey;
  /** The announcement as onion data, its id first. */
  readonly data: Buffer;
}

/** Seals an announcement as the data of a DHT request. @param deps.realKeys the keys that our real key shares with others */
export function sealDhtAnnouncement(
  deps: { readonly random: Random; readonly ownKey: PublicKey; readonly realKeys: SharedKeyCache },
  receiver: PublicKey,
  data: Buffer,
): Buffer {
  const nonce = deps.random.bytes(NONCE_SIZE);
  return Buffer.concat([deps.ownKey.bytes, nonce, seal(deps.realKeys.get(receiver), nonce, data)]);
}

/** Opens such data. @param isKnown asked before the key agreement, so that strangers cost nothing */
export function openDhtAnnouncement(
  realKeys: SharedKeyCache,
  packet: Buffer,
  isKnown: (sender: PublicKey) => boolean,
): DhtAnnouncement | undefined {
  if (packet.length <= PUBLIC_KEY_SIZE + NONCE_SIZE + MAC_SIZE) return undefined;
  const sender = new PublicKey(packet.subarray(0, PUBLIC_KEY_SIZE));
  const nonce = packet.subarray(PUBLIC_KEY_SIZE, PUBLIC_KEY_SIZE + NONCE_SIZE);
  const data = realKeys.open(sender, nonce, packet.subarray(PUBLIC_KEY_SIZE + NONCE_SIZE), () => isKnown(sender));
  return data === undefined ? undefined : { sender, data };
}
