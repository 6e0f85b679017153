/**
 * Our node as a TCP relay (spec: "TCP server"; c-toxcore TCP_server.c): brings together two clients that ask for each other,
 * carries single packets out of band, and is the first hop of the onion for those who have no UDP.
 */
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { KeyPair, PublicKey } from '../crypto/keys.js';
import type { StreamHandlers, StreamSocket } from '../network/stream-socket.js';
import type { RelayPacket } from '../packet/relay.js';
import { RelaySession } from './relay-session.js';

/** Specification (MAX_INCOMING_CONNECTIONS): clients that are not confirmed yet; one more pushes out the oldest. */
const MAX_PENDING = 256;
/** Implementation: clients served at once. Each costs some 30 KB while it is idle. */
const MAX_CLIENTS = 1_024;
/** Implementation: clients whose socket takes no more, with 256 KiB waiting for each; one more ends the one that waited longest. */
const MAX_FULL = 64;
/** Implementation: handshakes answered a second; each costs four key agreements, 250 µs. */
const GREETING_RATE = 200;
const GREETING_BURST = 400;

export interface RelayServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The DHT key pair. */
  readonly keyPair: KeyPair;
  /** Sends an onion request on, its first layer being none. @param client where responses go, see `respond` */
  readonly forwardOnion: (data: Buffer, client: { readonly id: bigint; readonly endpoint: Endpoint }) => void;
}

export class RelayServer {
  readonly #deps: RelayServerDeps;
  readonly #log: Logger;
  readonly #greetings: TokenBucket;
  /** In the order in which they came. */
  readonly #pending = new Set<RelaySession>();
  /** By the client's key, the oldest first. */
  readonly #clients = new Map<string, RelaySession>();
  readonly #byId = new Map<bigint, RelaySession>();
  readonly #full = new Set<RelaySession>();
  #nextId = 1n;
  #isStopped = false;

  constructor(deps: RelayServerDeps) {
    this.#deps = deps;
    this.#log = deps.log.child('relay-server');
    this.#greetings = new TokenBucket(GREETING_RATE, GREETING_BURST, deps.clock.now());
  }

  /** Clients served at present. */
  get clients(): number {
    return this.#clients.size;
  }

  /** A connection came in. @returns undefined to refuse it */
  accept(socket: StreamSocket): StreamHandlers | undefined {
    if (this.#isStopped) return undefined;
    if (this.#pending.size >= MAX_PENDING) first(this.#pending)?.end();
    const { clock, random, keyPair } = this.#deps;
    const session = new RelaySession({ clock, random, keyPair, socket }, this.#nextId, {
      mayGreet: () => this.#greetings.take(clock.now()),
      onConfirmed: (confirmed) => this.#onConfirmed(confirmed),
      onPacket: (sender, packet) => this.#onPacket(sender, packet),
      onFullChange: (changed, isFull) => this.#onFullChange(changed, isFull),
      onEnded: (ended) => this.#onEnded(ended),
    });
    this.#nextId += 1n;
    this.#pending.add(session);
    return session.streamHandlers();
  }

  /** An onion response for a client; lost when it is gone. */
  respond(client: bigint, data: Buffer): void {
    this.#byId.get(client)?.send({ kind: 'onion response', data });
  }

  stop(): void {
    this.#isStopped = true;
    for (const session of [...this.#pending, ...this.#clients.values()]) session.end();
  }

  #onConfirmed(session: RelaySession): boolean {
    this.#pending.delete(session);
    // One connection for each key: the newer one is of a client that has lost the older.
    this.#clients.get(session.publicKey.hex)?.end();
    if (this.#clients.size >= MAX_CLIENTS && !this.#makeRoom()) return false;
    this.#clients.set(session.publicKey.hex, session);
    this.#byId.set(session.id, session);
    this.#log.debug(`${session.publicKey.short} is connected`);
    return true;
  }

  /** Ends a client that talks with nobody; those that do are not disturbed by new ones. */
  #makeRoom(): boolean {
    for (const session of this.#clients.values()) {
      if (session.slots.links > 0) continue;
      session.end();
      return true;
    }
    return false;
  }

  #onEnded(session: RelaySession): void {
    this.#pending.delete(session);
    this.#full.delete(session);
    this.#byId.delete(session.id);
    if (!session.isConfirmed) return;
    if (this.#clients.get(session.publicKey.hex) === session) this.#clients.delete(session.publicKey.hex);
    for (const slot of session.slots.all) this.#unlink(session, slot.id);
  }

  #onFullChange(session: RelaySession, isFull: boolean): void {
    if (!isFull) this.#full.delete(session);
    else if (this.#full.add(session).size > MAX_FULL) first(this.#full)?.end();
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
        // c-toxcore ends the connection for a slot that there is not; our own client can be a packet late.
        this.#unlink(sender, packet.slot);
        return;
      case 'oob send':
        this.#clients
          .get(packet.publicKey.hex)
          ?.send({ kind: 'oob receive', publicKey: sender.publicKey, data: packet.data });
        return;
      case 'onion request':
        this.#deps.forwardOnion(packet.data, { id: sender.id, endpoint: sender.remote });
        return;
      case 'connected':
        // Allowed, and without a meaning.
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
    else slot.link?.session.send({ kind: 'data', slot: slot.link.slot, data });
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

  /** Frees a slot; whoever was at the other end learns that. */
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

const first = <T>(set: ReadonlySet<T>): T | undefined => set.values().next().value;
