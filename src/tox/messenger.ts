/**
 * Friends as the application sees them (spec: "Messenger"): online or not, with an ordered stream of custom packets.
 * Of the messenger's own packets a tunnel needs two: ONLINE, before which c-toxcore throws everything away, and OFFLINE.
 */

import type { Clock } from '../base/clock.js';
import { Listeners } from '../base/listeners.js';
import { Repeater } from '../base/repeater.js';
import {
  type ConnectionFacts,
  type ConnectionPath,
  connectionFacts,
  connectionPath,
  type PathEvidence,
} from './connection-facts.js';
import type { PublicKey } from './crypto/keys.js';
import type { FriendConnection, FriendConnectionHandlers } from './friend/friend-connection.js';
import type { DiscoveryState } from './friend/friend-discovery.js';
import type { OwnUdp } from './friend/relay-reason.js';
import { isCustomLossless, ONLINE_PACKET } from './packet/friend.js';
import { FriendKind } from './packet/kind.js';
import { SAFE_CRYPTO_DATA_SIZE } from './packet/net-crypto.js';

/** Gaps between friend requests, ms; the first goes as soon as a node stores the friend. */
const REQUEST_GAPS = [500, 700, 1_000, 1_500, 2_500, 4_000, 6_000, 10_000, 20_000, 40_000];

const GOOD_BYE = 'the friend said good-bye';

export interface Friend {
  readonly publicKey: PublicKey;
  readonly isOnline: boolean;
  /** Of use while it is not online. */
  readonly standing: DiscoveryState;
  /** Looks for it anew, as quickly as at first; while it is online, nothing happens. */
  seek(): void;
  /**
   * Takes a custom packet (first byte 160 to 191, 1373 bytes at the most) whole, or returns false: not online, or no room, in
   * which case `onDrain` follows. The buffer must stay unchanged afterwards.
   */
  sendLossless(packet: Buffer): boolean;
  /** Bytes that a packet should have at the most to pass at once; it changes with the path, up to 1373. */
  readonly packetSize: number;
  onOnline(listener: () => void): void;
  onOffline(listener: (reason: string) => void): void;
  onLossless(listener: (packet: Buffer) => void): void;
  onDrain(listener: () => void): void;
  /** How it is reached, and since when: that alone of the facts, at little cost. */
  readonly path: ConnectionPath;
  /** How it is reached, since when, and how that goes. */
  readonly facts: ConnectionFacts;
}

export interface MessengerFriendDeps {
  readonly clock: Clock;
  /** Joins the friend list. */
  readonly connect: (handlers: FriendConnectionHandlers) => FriendConnection;
  /** How our own network is at present. */
  readonly ownNetwork: () => { readonly ownUdp: OwnUdp; readonly hasNetwork: boolean };
}

export class MessengerFriend implements Friend {
  readonly publicKey: PublicKey;
  readonly #deps: MessengerFriendDeps;
  readonly #connection: FriendConnection;
  readonly #request: Buffer | undefined;
  readonly #requests: Repeater | undefined;
  readonly #onlines = new Listeners<[]>();
  readonly #offlines = new Listeners<[reason: string]>();
  readonly #packets = new Listeners<[packet: Buffer]>();
  readonly #drains = new Listeners<[]>();
  readonly #evidence: PathEvidence;
  #isOnline = false;

  /** @param options.request onion data sent until the friend is online; without it the friend is expected to know us */
  constructor(
    deps: MessengerFriendDeps,
    options: { readonly publicKey: PublicKey; readonly request: Buffer | undefined },
  ) {
    this.publicKey = options.publicKey;
    this.#deps = deps;
    this.#request = options.request;
    const { request } = options;
    if (request !== undefined) {
      this.#requests = new Repeater(deps.clock, REQUEST_GAPS, () => this.#repeatRequest(request));
    }
    this.#connection = deps.connect({
      onConnecting: (connection) => connection.sendLossless(ONLINE_PACKET, { isUrgent: true }),
      onEstablished: () => this.#requests?.stop(),
      onLost: (reason) => this.#setOffline(reason),
      onLossless: (data) => this.#onLossless(data),
      onDrain: () => {
        if (this.#isOnline) this.#drains.tell();
      },
      onReachable: (send) => this.#onReachable(send),
    });
    this.#evidence = evidenceOf(this.#connection, deps.ownNetwork);
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  get standing(): DiscoveryState {
    return this.#connection.standing;
  }

  seek(): void {
    if (this.#isOnline) return;
    this.#connection.seek();
    if (!this.#requests?.isRunning) return;
    this.#requests.stop();
    this.#requests.start();
  }

  get path(): ConnectionPath {
    return connectionPath(this.#deps.clock.now(), this.#evidence);
  }

  get facts(): ConnectionFacts {
    return connectionFacts(this.#deps.clock.now(), this.#evidence, this.#connection.traffic);
  }

  sendLossless(packet: Buffer): boolean {
    if (!isCustomLossless(packet)) throw new RangeError('custom lossless packets begin with 160 to 191');
    return this.#isOnline && (this.#connection.connection?.sendLossless(packet) ?? false);
  }

  get packetSize(): number {
    return this.#connection.connection?.packetSize ?? SAFE_CRYPTO_DATA_SIZE;
  }

  onOnline(listener: () => void): void {
    this.#onlines.add(listener);
  }

  onOffline(listener: (reason: string) => void): void {
    this.#offlines.add(listener);
  }

  onLossless(listener: (packet: Buffer) => void): void {
    this.#packets.add(listener);
  }

  onDrain(listener: () => void): void {
    this.#drains.add(listener);
  }

  /** The friend list ends the connection itself, and that is the good-bye: no OFFLINE would arrive before it. */
  leave(): void {
    this.#requests?.stop();
    this.#setOffline('closed');
  }

  #onReachable(send: (data: Buffer) => void): void {
    if (this.#request === undefined) return;
    send(this.#request);
    this.#requests?.start();
  }

  /** Until nobody stores the friend any more; it begins anew when somebody does. */
  #repeatRequest(request: Buffer): void {
    if (this.#connection.sendByOnion(request) === 0) this.#requests?.stop();
  }

  #onLossless(data: Buffer): void {
    if (isCustomLossless(data)) {
      if (this.#isOnline) this.#packets.tell(data);
    } else if (data.length === 1 && data[0] === FriendKind.Online) {
      this.#setOnline();
    } else if (data.length === 1 && data[0] === FriendKind.Offline) {
      this.#connection.record.setFailure(GOOD_BYE);
      this.#setOffline(GOOD_BYE);
    }
  }

  #setOnline(): void {
    // c-toxcore says it twice: when the connection stands, and again when it hears ours.
    if (this.#isOnline) return;
    this.#isOnline = true;
    this.#onlines.tell();
  }

  #setOffline(reason: string): void {
    if (!this.#isOnline) return;
    this.#isOnline = false;
    this.#offlines.tell(reason);
  }
}

/** As it stands whenever it is looked at. */
function evidenceOf(connection: FriendConnection, ownNetwork: MessengerFriendDeps['ownNetwork']): PathEvidence {
  return {
    record: connection.record,
    get reachability() {
      return connection.reachability;
    },
    get isEstablished() {
      return connection.connection !== undefined;
    },
    get ownUdp() {
      return ownNetwork().ownUdp;
    },
    get hasNetwork() {
      return ownNetwork().hasNetwork;
    },
  };
}
