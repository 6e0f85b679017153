/** What a connection tells its owner and whoever looks at it, and what it needs of the table that it stands in. */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { MemoryBudget } from '../../base/memory-budget.js';
import type { Random } from '../../base/random.js';
import type { KeyPair, PublicKey } from '../crypto/keys.js';
import type { CloseReason } from './connection-state.js';
import type { LoopTick } from './loop-tick.js';
import type { Route, SendDatagram } from './route.js';
import type { SavedPaths } from './saved-paths.js';

export interface ConnectionHandlers {
  /** The peer can read us and we can read it; called once. */
  onEstablished(): void;
  /** A lossless packet (ids 16 to 191), in order; the bytes belong to the receiver. */
  onLossless(data: Buffer): void;
  /** A lossy packet (ids 192 to 254). */
  onLossy(data: Buffer): void;
  /** There is room again after a `sendLossless` that returned false. */
  onDrain(): void;
  /** It is over, and not because of our own `kill` or `stop`. */
  onClosed(reason: CloseReason): void;
  /** Packets go another way now; undefined when no way is known, or none on which the peer was heard lately. */
  onRouteChange(route: Route | undefined): void;
  /** The peer was heard over UDP within the last seconds, or no longer. */
  onDirectChange(isDirect: boolean): void;
}

export interface PeerKeys {
  readonly realKey: PublicKey;
  readonly dhtKey: PublicKey;
}

/** What one connection has carried since its first packet. */
export interface Traffic {
  /** Recent round trip, ms; undefined before one was measured. */
  readonly rtt: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes a second over the last seconds. */
  readonly rateIn: number;
  readonly rateOut: number;
  /** Packets sent again. */
  readonly retransmissions: number;
}

/** What the table of connections gives to each of them. */
export interface ConnectionHost<Connection> {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly tick: LoopTick;
  readonly identity: KeyPair;
  readonly dhtKey: PublicKey;
  /** For packets of all connections that wait for earlier ones, and for those that peers have not confirmed. */
  readonly memory: { readonly received: MemoryBudget; readonly sent: MemoryBudget };
  /** What earlier sessions found out. */
  readonly savedPaths: SavedPaths;
  readonly send: SendDatagram;
  /** Whether there is UDP at all: without it no address of the peer is of use. */
  readonly hasUdp: boolean;
  /** Whether UDP gets no answer from anybody. */
  isUdpBlocked(): boolean;
  /** The key that our DHT key shares with another. */
  dhtSecret(dhtKey: PublicKey): Buffer;
  /** The key that our real key shares with another. */
  realSecret(realKey: PublicKey): Buffer;
  issueCookie(peer: PeerKeys): Buffer;
  /** @param isProven whether the peer is at the address for sure: then nobody else is there any more */
  bind(route: Route, connection: Connection, isProven: boolean): void;
  unbind(route: Route, connection: Connection): void;
  forget(connection: Connection): void;
  /** Fragments that the system has made of datagrams so far, of those of all programs. */
  fragmentsMade(): number;
  /** Bytes of IP that the interface takes by which datagrams go there; undefined where the system does not say. Never rejects. */
  mtuTowards(destination: Endpoint): Promise<number | undefined>;
  /** Whether there is one connection only. */
  isAlone(): boolean;
}
