/**
 * Our node as a TCP relay (spec: "TCP server"; c-toxcore TCP_server.c): connects two clients that ask for each other, carries
 * single packets out of band, and is the first hop of the onion for clients without UDP.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { KeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import type { StreamHandlers, StreamSocket } from '../network/stream-socket.js';
import type { RelayPacket } from '../packet/relay.js';
import { BySource } from './by-source.js';
import { RelaySession } from './relay-session.js';

/** Specification (MAX_INCOMING_CONNECTIONS): unconfirmed clients; one more ends the oldest of the busiest host. */
const MAX_PENDING = 256;
/** Clients served at once. Each costs some 30 KB while it is idle. */
const MAX_CLIENTS = 1_024;
/** The share of a full relay that one host may have, even if all its clients are in use. */
const HOST_SHARE = 1 / 8;
/** Bytes that may wait for all clients together; 256 KiB wait for each whose socket is full. */
const MAX_WAITING = 16 * 1024 * 1024;
/** Bytes sent between two checks of how many wait. */
const WAITING_CHECK = 512 * 1024;
/** Handshakes answered a second; each costs four key agreements, 250 µs. The others wait. */
const GREETING_RATE = 200;
const GREETING_BURST = 400;
/** ms between batches of handshakes. */
const GREETING_INTERVAL = 25;

export interface RelayServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The DHT key pair. */
  readonly keyPair: KeyPair;
  /** Descriptors for all these connections together, see `descriptorShares`. */
  readonly descriptors: number;
  /** Forwards an onion request of a client. @param client receives responses, see `respond` */
  readonly forwardOnion: (data: Buffer, client: { readonly id: bigint; readonly endpoint: Endpoint }) => void;
}

export class RelayServer {
  readonly #deps: RelayServerDeps;
  readonly #log: Logger;
  readonly #maxPending: number;
  readonly #maxClients: number;
  readonly #greetings: TokenBucket;
  /** Clients that are not confirmed yet. */
  readonly #pending = new BySource<RelaySession>();
  /** Unconfirmed clients that wait for our half of the handshake. */
  readonly #greeted = new BySource<RelaySession>();
  #turn: Timer | undefined;
  /** The confirmed clients by the hex of their keys. */
  readonly #clients = new Map<string, RelaySession>();
  readonly #clientsBySource = new BySource<RelaySession>();
  readonly #byId = new Map<bigint, RelaySession>();
  /** Clients whose sockets are full, in the order in which they became so. */
  readonly #full = new Set<RelaySession>();
  #sentUnseen = 0;
  #relayedBytes = 0;
  #nextId = 1n;
  #isStopped = false;

  constructor(deps: RelayServerDeps) {
    this.#deps = deps;
    this.#log = deps.log.child('relay-server');
    const share = deps.descriptors / (MAX_PENDING + MAX_CLIENTS);
    this.#maxPending = Math.max(1, Math.floor(MAX_PENDING * Math.min(1, share)));
    this.#maxClients = Math.max(1, Math.floor(MAX_CLIENTS * Math.min(1, share)));
    this.#greetings = new TokenBucket(GREETING_RATE, GREETING_BURST, deps.clock.now());
  }

  /** The number of clients other than ourselves. */
  get clients(): number {
    return this.#clients.size - (this.#clients.has(this.#deps.keyPair.publicKey.hex) ? 1 : 0);
  }

  /** Bytes relayed between clients or into the onion, without those that we ourselves sent or received. */
  get relayedBytes(): number {
    return this.#relayedBytes;
  }

  /** A connection has come in. @returns undefined to refuse it */
  accept(socket: StreamSocket): StreamHandlers | undefined {
    if (this.#isStopped) return undefined;
    const { clock, random, keyPair } = this.#deps;
    const session = new RelaySession({ clock, random, keyPair, socket }, this.#nextId, {
      onGreeting: (greeted) => {
        this.#greeted.add(greeted);
        this.#answer();
      },
      onConfirmed: (confirmed) => this.#onConfirmed(confirmed),
      onPacket: (sender, packet) => this.#onPacket(sender, packet),
      onSent: (bytes) => this.#onSent(bytes),
      onFullChange: (changed, isFull) => this.#onFullChange(changed, isFull),
      onEnded: (ended) => this.#onEnded(ended),
    });
    this.#nextId += 1n;
    this.#pending.add(session);
    if (this.#pending.size > this.#maxPending) this.#pending.oldestOfLargest()?.end();
    return session.streamHandlers();
  }

  /** Sends an onion response to a client; drops it when the client is gone. */
  respond(client: bigint, data: Buffer): void {
    const session = this.#byId.get(client);
    if (session === undefined) return;
    session.send({ kind: 'onion response', data });
    this.#count(data, session);
  }

  stop(): void {
    this.#isStopped = true;
    this.#turn?.cancel();
    for (const session of [...this.#pending, ...this.#clients.values()]) session.end();
  }

  /** Answers waiting handshakes, one host after the other. */
  #answer(): void {
    const { clock } = this.#deps;
    while (this.#greeted.size > 0 && this.#greetings.take(clock.now())) this.#greeted.next()?.answer();
    if (this.#greeted.size === 0 || this.#isStopped) return;
    this.#turn ??= clock.after(GREETING_INTERVAL, () => {
      this.#turn = undefined;
      this.#answer();
    });
  }

  #onConfirmed(session: RelaySession): boolean {
    this.#pending.delete(session);
    // One connection for each key: the client has lost the older one.
    this.#clients.get(session.publicKey.hex)?.end();
    this.#clients.set(session.publicKey.hex, session);
    this.#clientsBySource.add(session);
    this.#byId.set(session.id, session);
    if (this.#clients.size > this.#maxClients) (this.#leastUseful() ?? session).end();
    if (!this.#byId.has(session.id)) return false;
    this.#log.debug(`${session.publicKey.short} is connected`);
    return true;
  }

  /** Returns a client without a link, of the host with the most clients; or any client of a host with more than its share. */
  #leastUseful(): RelaySession | undefined {
    for (const ofHost of this.#clientsBySource.largestFirst()) {
      const sessions = [...ofHost];
      const idle = sessions.find(({ slots }) => slots.links === 0);
      if (idle !== undefined) return idle;
      if (sessions.length > HOST_SHARE * this.#maxClients) return sessions[0];
    }
    return undefined;
  }

  #onEnded(session: RelaySession): void {
    for (const sessions of [this.#pending, this.#greeted, this.#clientsBySource, this.#full]) sessions.delete(session);
    this.#byId.delete(session.id);
    if (!session.isConfirmed) return;
    if (this.#clients.get(session.publicKey.hex) === session) this.#clients.delete(session.publicKey.hex);
    for (const slot of session.slots.all) this.#unlink(session, slot.id);
  }

  #onFullChange(session: RelaySession, isFull: boolean): void {
    if (isFull) this.#full.add(session);
    else this.#full.delete(session);
  }

  /** Ends clients that do not read, in the order in which their sockets became full, while too many bytes wait. */
  #onSent(bytes: number): void {
    this.#sentUnseen += bytes;
    if (this.#sentUnseen < WAITING_CHECK) return;
    this.#sentUnseen = 0;
    const clients = [...this.#clients.values()];
    let excess = -MAX_WAITING;
    for (const { waiting } of clients) excess += waiting;
    if (excess <= 0) return;
    const others = clients.sort((a, b) => b.waiting - a.waiting);
    for (const session of [...this.#full, ...others]) {
      if (excess <= 0) return;
      excess -= session.waiting;
      session.end();
    }
  }

  #onPacket(sender: RelaySession, packet: RelayPacket): void {
    switch (packet.kind) {
      case 'data':
        this.#onData(sender, packet.slot, packet.data);
        return;
      case 'routing request':
        this.#onRoutingRequest(sender, packet.publicKey);
        return;
      case 'disconnected':
        // c-toxcore ends the connection for an unknown slot; our own client can be a packet late.
        this.#unlink(sender, packet.slot);
        return;
      case 'oob send':
        this.#onOutOfBand(sender, packet.publicKey, packet.data);
        return;
      case 'onion request':
        this.#deps.forwardOnion(packet.data, { id: sender.id, endpoint: sender.remote });
        this.#count(packet.data, sender);
        return;
      case 'connected':
        // Allowed, and without meaning.
        return;
      case 'ping':
      case 'pong':
      case 'routing response':
      case 'oob receive':
      case 'onion response':
        sender.end();
        return;
    }
  }

  #onData(sender: RelaySession, id: number, data: Buffer): void {
    const slot = sender.slots.at(id);
    if (slot === undefined) sender.end();
    if (slot?.link === undefined) return;
    slot.link.session.send({ kind: 'data', slot: slot.link.slot, data });
    this.#count(data, sender, slot.link.session);
  }

  #onOutOfBand(sender: RelaySession, publicKey: PublicKey, data: Buffer): void {
    const receiver = this.#clients.get(publicKey.hex);
    if (receiver === undefined) return;
    receiver.send({ kind: 'oob receive', publicKey: sender.publicKey, data });
    this.#count(data, sender, receiver);
  }

  #count(data: Buffer, ...between: readonly RelaySession[]): void {
    const own = this.#deps.keyPair.publicKey;
    if (between.every(({ publicKey }) => !publicKey.equals(own))) this.#relayedBytes += data.length;
  }

  #onRoutingRequest(sender: RelaySession, publicKey: PublicKey): void {
    const known = sender.slots.of(publicKey);
    const slot = known ?? (publicKey.equals(sender.publicKey) ? undefined : sender.slots.add(publicKey));
    sender.sendControl({ kind: 'routing response', slot: slot?.id, publicKey });
    if (slot === undefined || known !== undefined) return;
    const other = this.#clients.get(publicKey.hex);
    const back = other?.slots.of(sender.publicKey);
    if (other === undefined || back === undefined) return;
    sender.slots.link(slot, { session: other, slot: back.id });
    other.slots.link(back, { session: sender, slot: slot.id });
    sender.sendControl({ kind: 'connected', slot: slot.id });
    other.sendControl({ kind: 'connected', slot: back.id });
  }

  /** Frees a slot, and notifies the client at the other end. */
  #unlink(session: RelaySession, id: number): void {
    const slot = session.slots.at(id);
    if (slot === undefined) return;
    session.slots.remove(slot);
    const { link } = slot;
    const back = link?.session.slots.at(link.slot);
    if (link === undefined || back === undefined) return;
    link.session.slots.link(back, undefined);
    link.session.sendControl({ kind: 'disconnected', slot: back.id });
  }
}
