/** What a connection reports to its owner, and what it needs from the table of connections. */
import type { Clock } from '../../../base/clock.js';
import type { Endpoint } from '../../../base/endpoint.js';
import type { Logger } from '../../../base/logger.js';
import type { MemoryBudget } from '../../../base/memory-budget.js';
import type { Random } from '../../../base/random.js';
import type { KeyPair } from '../../crypto/key-pair.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { Route, SendDatagram } from '../path/route.js';
import type { SavedPaths } from '../path/saved-paths.js';
import type { LoopTick } from './loop-tick.js';
import type { PacketMemory } from './packet-memory.js';

/**
 * 'timeout': no answer while connecting. 'killed': by the peer. 'replaced': the peer started a new session. 'stopped': by us.
 * 'stuck': a packet of the peer never came, while later ones waited. 'too large': a packet of ours is too large for the path.
 */
export type CloseReason = 'timeout' | 'killed' | 'replaced' | 'stopped' | 'stuck' | 'too large';

export interface ConnectionHandlers {
  /** The peer's handshake has arrived: what is sent now is sealed at once. Not called for a handshake that we accept; may be repeated. */
  onKeys(): void;
  /** Both sides can read each other; called once. */
  onEstablished(): void;
  /** A lossless packet (ids 16 to 191), in order; the bytes belong to the receiver. */
  onLossless(data: Buffer): void;
  /** A lossy packet (ids 192 to 254). */
  onLossy(data: Buffer): void;
  /** There is room again after `sendLossless` returned false. */
  onDrain(): void;
  /** The connection has ended, and not because of our own `kill` or `stop`. */
  onClosed(reason: CloseReason): void;
  /** Packets take another route now; undefined if no route is known, or none on which the peer was received recently. */
  onRouteChange(route: Route | undefined): void;
  /** Packets of the peer began or ceased to arrive over UDP. */
  onDirectChange(isDirect: boolean): void;
}

export interface PeerKeys {
  readonly realKey: PublicKey;
  readonly dhtKey: PublicKey;
}

/** Totals of one connection since its first packet. */
export interface Traffic {
  /** Recent round trip, ms; undefined before one was measured. */
  readonly rtt: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes per second over the last seconds. */
  readonly rateIn: number;
  readonly rateOut: number;
  /** Retransmitted packets. */
  readonly retransmissions: number;
  /** Lossy packets for which there was no room. */
  readonly lossyDropped: number;
}

/** What the table of connections provides to each connection. */
export interface ConnectionHost<Connection> {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly tick: LoopTick;
  readonly identity: KeyPair;
  readonly dhtKey: PublicKey;
  /** Memory of all connections for packets that wait for earlier ones, and for unacknowledged ones. */
  readonly memory: {
    readonly received: MemoryBudget;
    readonly sent: MemoryBudget;
    /** Where the latter lie. */
    readonly packets: PacketMemory;
  };
  /** What earlier sessions learned. */
  readonly savedPaths: SavedPaths;
  readonly send: SendDatagram;
  /** Whether UDP is available: without it, an address of the peer is no route. */
  readonly hasUdp: boolean;
  /** Whether UDP gets no answers at all. */
  isUdpBlocked(): boolean;
  /** Returns the key shared by our DHT key and another. */
  dhtSecret(dhtKey: PublicKey): Buffer;
  /** Returns the key shared by our real key and another. */
  realSecret(realKey: PublicKey): Buffer;
  issueCookie(peer: PeerKeys): Buffer;
  /** @param isProven whether the peer is proven to be at the address: then no other peer is there */
  bind(route: Route, connection: Connection, isProven: boolean): void;
  unbind(route: Route, connection: Connection): void;
  forget(connection: Connection): void;
  /** Returns the fragments that the system has made so far, of the datagrams of all programs. */
  fragmentsMade(): number;
  /** Returns the MTU of the interface towards a destination, bytes of IP; undefined if unknown. Never rejects. */
  mtuTowards(destination: Endpoint): Promise<number | undefined>;
  /** Whether this is the only connection. */
  isAlone(): boolean;
}
