/**
 * One connection to a relay, from dialling to its end (spec: "TCP client"; c-toxcore TCP_client.c):
 *
 *     connecting   the socket, and a proxy before it, come to stand
 *     greeting     our half of the handshake is sent, the relay's is awaited
 *     confirming   its key is proved; whether ours has arrived shows with the first packet that comes back
 *     confirmed    the relay answers; peers asked for meanwhile were asked at once
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../crypto/keys.js';
import type { DialStream, StreamSocket } from '../network/stream-socket.js';
import type { NodeInfo } from '../packet/node-info.js';
import { MAX_OOB_SIZE, RELAY_REPLY_SIZE, type RelayPacket } from '../packet/relay.js';
import { ClientSlots, type PeerStatus } from './client-slots.js';
import { beginHandshake, type ClientHandshake } from './handshake.js';
import { RelayChannel } from './relay-channel.js';

/** Specification (TCP_CONNECTION_TIMEOUT), ms from dialling to the first packet of the relay. */
const CONNECT_TIMEOUT = 10_000;

export interface RelayClientDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly dial: DialStream;
  readonly ownKey: PublicKey;
  /** Shared by our DHT key and the relay's. */
  readonly sharedKey: Buffer;
}

export interface RelayClientOptions {
  /** Bytes that the relay may have unread of us at the most, of one that has stalled before. */
  readonly flowBound?: number | undefined;
}

export interface RelayClientHandlers {
  onConfirmed(): void;
  onPeerStatus(peer: PublicKey, status: PeerStatus): void;
  onData(peer: PublicKey, packet: Buffer): void;
  /** From whoever is connected to the relay and has our key. */
  onOob(sender: PublicKey, packet: Buffer): void;
  onOnion(packet: Buffer): void;
  /** There is room again after a `send…` that returned false. */
  onDrain(): void;
  /** Called once; not after `close`. */
  onClosed(reason: string): void;
}

type State =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'greeting'; readonly handshake: ClientHandshake; bytes: Buffer }
  | { readonly kind: 'confirming' | 'confirmed'; readonly line: RelayChannel }
  | { readonly kind: 'closed' };

export class RelayClient {
  readonly #publicKey: PublicKey;
  readonly #deps: RelayClientDeps;
  readonly #handlers: RelayClientHandlers;
  readonly #socket: StreamSocket;
  readonly #timeout: Timer;
  readonly #slots = new ClientSlots();
  readonly #options: RelayClientOptions;
  /** When the last step was begun to which the relay answers, and ms that the quickest one took. */
  #askedAt: number;
  #rtt = Number.POSITIVE_INFINITY;
  #lowerBound: number | undefined;
  #state: State = { kind: 'connecting' };

  constructor(deps: RelayClientDeps, relay: NodeInfo, handlers: RelayClientHandlers, options: RelayClientOptions = {}) {
    this.#deps = deps;
    this.#handlers = handlers;
    this.#publicKey = relay.publicKey;
    this.#options = options;
    this.#askedAt = deps.clock.now();
    this.#timeout = deps.clock.after(CONNECT_TIMEOUT, () => this.#end('no answer within 10 s'));
    this.#socket = deps.dial(relay.endpoint, {
      onOpen: () => this.#onOpen(),
      onData: (bytes) => this.#onBytes(bytes),
      onDrain: () => this.#onDrain(),
      onClose: (reason) => this.#end(reason),
    });
  }

  /** At the address that is being tried first, then at that where it connected. */
  get relay(): NodeInfo {
    return { publicKey: this.#publicKey, endpoint: this.#socket.remote };
  }

  get isConfirmed(): boolean {
    return this.#state.kind === 'confirmed';
  }

  /** Whether what may get lost is refused at present. */
  get isFull(): boolean {
    return this.#state.kind !== 'confirmed' || this.#state.line.isFull;
  }

  /** Whether packets may come as fast as they are taken: they gather until the relay is ready for them. */
  get gathers(): boolean {
    return this.#state.kind === 'confirmed' && this.#state.line.gathers;
  }

  /** After a stall: the `flowBound` of the next connection, which may be opened at once. */
  get lowerBound(): number | undefined {
    return this.#lowerBound;
  }

  status(peer: PublicKey): PeerStatus {
    return this.#slots.status(peer);
  }

  /** Asks for a peer; what becomes of it is told by `onPeerStatus`. */
  ask(peer: PublicKey): void {
    if (this.#slots.ask(peer) && this.#state.kind === 'confirmed')
      this.#control({ kind: 'routing request', publicKey: peer });
  }

  /** Nothing goes to the peer any more. */
  release(peer: PublicKey): void {
    const slot = this.#slots.release(peer);
    if (slot === undefined) return;
    // c-toxcore ends the connection for data to a slot that is free.
    if ('line' in this.#state) this.#state.line.withdraw(slot);
    this.#control({ kind: 'disconnected', slot });
  }

  /** @returns false when the peer is not online here, or there is no room */
  sendData(peer: PublicKey, data: Buffer): boolean {
    const slot = this.#slots.slotOf(peer);
    if (slot === undefined || this.#slots.status(peer) !== 'online') return false;
    return this.#send({ kind: 'data', slot, data });
  }

  /** To a peer that may be connected to the relay; larger packets are refused. */
  sendOob(peer: PublicKey, data: Buffer): boolean {
    return data.length <= MAX_OOB_SIZE && this.#send({ kind: 'oob send', publicKey: peer, data });
  }

  /** @param data nonce, key and sealed layer of the hop after the relay */
  sendOnion(data: Buffer): boolean {
    return this.#send({ kind: 'onion request', data });
  }

  /** We slept, or the network has changed: whether it lives is known within 3 s. */
  doubt(): void {
    if (this.#state.kind === 'confirmed') this.#state.line.doubt();
  }

  close(): void {
    if (this.#state.kind === 'closed') return;
    this.#timeout.cancel();
    if ('line' in this.#state) this.#state.line.stop();
    this.#state = { kind: 'closed' };
    this.#socket.destroy();
  }

  #end(reason: string): void {
    if (this.#state.kind === 'closed') return;
    this.close();
    this.#handlers.onClosed(reason);
  }

  #onOpen(): void {
    const { random, ownKey, sharedKey } = this.#deps;
    this.#noteAnswer();
    const handshake = beginHandshake(random, ownKey, sharedKey);
    this.#state = { kind: 'greeting', handshake, bytes: Buffer.alloc(0) };
    this.#socket.write(handshake.greeting);
  }

  /** Connecting may be long for other addresses that were tried before, the greeting for a relay that is busy. */
  #noteAnswer(): void {
    const now = this.#deps.clock.now();
    this.#rtt = Math.min(this.#rtt, now - this.#askedAt);
    this.#askedAt = now;
  }

  #onBytes(bytes: Buffer): void {
    const state = this.#state;
    if (state.kind === 'greeting') this.#onReply(state, bytes);
    else if ('line' in state) state.line.receive(bytes);
  }

  #onReply(state: State & { readonly kind: 'greeting' }, bytes: Buffer): void {
    state.bytes = Buffer.concat([state.bytes, bytes]);
    if (state.bytes.length < RELAY_REPLY_SIZE) return;
    this.#noteAnswer();
    const session = state.handshake.finish(state.bytes.subarray(0, RELAY_REPLY_SIZE));
    if (session === undefined) {
      this.#end('it has another key');
      return;
    }
    const { clock, random } = this.#deps;
    const line = new RelayChannel(
      {
        clock,
        random,
        write: (frame) => this.#socket.write(frame),
        onHeard: () => this.#onHeard(),
        onPacket: (packet) => this.#onPacket(packet),
        onDrain: () => this.#handlers.onDrain(),
        onStall: (lowerBound) => {
          this.#lowerBound = lowerBound;
          this.#end('it reads no more');
        },
        onBroken: (reason) => this.#end(reason),
      },
      session,
      { rtt: this.#rtt, bound: this.#options.flowBound },
    );
    this.#state = { kind: 'confirming', line };
    // The relay does not count us as connected before it can read a packet of ours.
    line.ping();
    const rest = state.bytes.subarray(RELAY_REPLY_SIZE);
    if (rest.length > 0) this.#onBytes(rest);
  }

  #onHeard(): void {
    if (this.#state.kind !== 'confirming') return;
    this.#timeout.cancel();
    this.#state = { kind: 'confirmed', line: this.#state.line };
    for (const publicKey of this.#slots.asked()) this.#control({ kind: 'routing request', publicKey });
    this.#handlers.onConfirmed();
  }

  #onPacket(packet: RelayPacket): void {
    switch (packet.kind) {
      case 'routing response': {
        const unwanted = this.#slots.onResponse(packet.publicKey, packet.slot);
        if (unwanted !== undefined) this.#control({ kind: 'disconnected', slot: unwanted });
        else this.#handlers.onPeerStatus(packet.publicKey, this.#slots.status(packet.publicKey));
        return;
      }
      case 'connected':
      case 'disconnected': {
        const status = packet.kind === 'connected' ? 'online' : 'registered';
        const peer = this.#slots.onNotification(packet.slot, status);
        if (peer !== undefined) this.#handlers.onPeerStatus(peer, status);
        return;
      }
      case 'oob receive':
        this.#handlers.onOob(packet.publicKey, packet.data);
        return;
      case 'onion response':
        this.#handlers.onOnion(packet.data);
        return;
      case 'data': {
        // Data may overtake the notification of a slot that was freed a moment ago: then nobody waits for it.
        const peer = this.#slots.keyAt(packet.slot);
        if (peer === undefined) return;
        if ('line' in this.#state) this.#state.line.carried();
        this.#handlers.onData(peer, packet.data);
        return;
      }
      case 'ping':
      case 'pong':
        // The line's own.
        return;
      case 'routing request':
      case 'oob send':
      case 'onion request':
        // What clients say; c-toxcore ignores it from a relay as well.
        return;
    }
  }

  #onDrain(): void {
    if ('line' in this.#state) this.#state.line.drained();
  }

  #send(packet: RelayPacket): boolean {
    return this.#state.kind === 'confirmed' && this.#state.line.send(packet);
  }

  #control(packet: RelayPacket): void {
    if ('line' in this.#state) this.#state.line.control(packet);
  }
}
