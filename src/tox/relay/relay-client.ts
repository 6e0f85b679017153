/**
 * One connection to a relay, from dialling to its end (spec: "TCP client"; c-toxcore TCP_client.c):
 *
 *     connecting   the socket is being connected, through a proxy if there is one
 *     greeting     our half of the handshake is sent, the relay's is awaited
 *     confirming   the relay has proved its key; its first packet will show that it could read ours
 *     confirmed    the relay answers; routing requests made before are sent now
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
  /** Bytes of ours that a relay which has stalled before may have unread, at most. */
  readonly flowBound?: number | undefined;
}

export interface RelayClientHandlers {
  onConfirmed(): void;
  onPeerStatus(peer: PublicKey, status: PeerStatus): void;
  onData(peer: PublicKey, packet: Buffer): void;
  /** A packet of any client of the relay that has our key. */
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
  | { readonly kind: 'confirming' | 'confirmed'; readonly channel: RelayChannel }
  | { readonly kind: 'closed' };

export class RelayClient {
  readonly #publicKey: PublicKey;
  readonly #deps: RelayClientDeps;
  readonly #handlers: RelayClientHandlers;
  readonly #socket: StreamSocket;
  readonly #timeout: Timer;
  readonly #slots = new ClientSlots();
  readonly #options: RelayClientOptions;
  /** When the last step began that the relay answers, and how long the quickest one took, ms. */
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

  /** The relay, with the address that is tried first, and later the one that answered. */
  get relay(): NodeInfo {
    return { publicKey: this.#publicKey, endpoint: this.#socket.remote };
  }

  get isConfirmed(): boolean {
    return this.#state.kind === 'confirmed';
  }

  /** Whether packets that may get lost are refused now. */
  get isFull(): boolean {
    return this.#state.kind !== 'confirmed' || this.#state.channel.isFull;
  }

  /** Whether packets may be sent as fast as they are taken, because they gather until the relay is ready for them. */
  get gathers(): boolean {
    return this.#state.kind === 'confirmed' && this.#state.channel.gathers;
  }

  /** The `flowBound` of the next connection, which may be opened at once; undefined unless this one has stalled. */
  get lowerBound(): number | undefined {
    return this.#lowerBound;
  }

  status(peer: PublicKey): PeerStatus {
    return this.#slots.status(peer);
  }

  /** Asks for a peer; `onPeerStatus` reports the result. */
  ask(peer: PublicKey): void {
    if (this.#slots.ask(peer) && this.#state.kind === 'confirmed')
      this.#control({ kind: 'routing request', publicKey: peer });
  }

  /** Gives up the peer: nothing is sent to it any more. */
  release(peer: PublicKey): void {
    const slot = this.#slots.release(peer);
    if (slot === undefined) return;
    // c-toxcore ends the connection for data to a slot that is free.
    if ('channel' in this.#state) this.#state.channel.withdraw(slot);
    this.#control({ kind: 'disconnected', slot });
  }

  /** @returns false when the peer is not online here, or there is no room */
  sendData(peer: PublicKey, data: Buffer): boolean {
    const slot = this.#slots.slotOf(peer);
    if (slot === undefined || this.#slots.status(peer) !== 'online') return false;
    return this.#send({ kind: 'data', slot, data });
  }

  /** Sends out of band to a peer that may be connected to the relay. @returns false when the packet is too large or refused */
  sendOob(peer: PublicKey, data: Buffer): boolean {
    return data.length <= MAX_OOB_SIZE && this.#send({ kind: 'oob send', publicKey: peer, data });
  }

  /** @param data nonce, key and sealed layer of the hop after the relay */
  sendOnion(data: Buffer): boolean {
    return this.#send({ kind: 'onion request', data });
  }

  /** Finds out within 3 s whether the relay still lives: we slept, or the network has changed. */
  check(): void {
    if (this.#state.kind === 'confirmed') this.#state.channel.check();
  }

  close(): void {
    if (this.#state.kind === 'closed') return;
    this.#timeout.cancel();
    if ('channel' in this.#state) this.#state.channel.stop();
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

  /** Takes the quicker of two steps: other addresses may delay the connection, and a busy relay its half of the handshake. */
  #noteAnswer(): void {
    const now = this.#deps.clock.now();
    this.#rtt = Math.min(this.#rtt, now - this.#askedAt);
    this.#askedAt = now;
  }

  #onBytes(bytes: Buffer): void {
    const state = this.#state;
    if (state.kind === 'greeting') this.#onReply(state, bytes);
    else if ('channel' in state) state.channel.receive(bytes);
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
    const channel = new RelayChannel(
      {
        clock,
        random,
        write: (frame) => this.#socket.write(frame),
        onReceived: () => this.#onReceived(),
        onPacket: (packet) => this.#onPacket(packet),
        onDrain: () => this.#handlers.onDrain(),
        onBroken: (reason, lowerBound) => {
          this.#lowerBound = lowerBound;
          this.#end(reason);
        },
      },
      session,
      { rtt: this.#rtt, bound: this.#options.flowBound },
    );
    this.#state = { kind: 'confirming', channel };
    // The relay does not count us as connected before it can read a packet of ours.
    channel.ping();
    const rest = state.bytes.subarray(RELAY_REPLY_SIZE);
    if (rest.length > 0) this.#onBytes(rest);
  }

  #onReceived(): void {
    if (this.#state.kind !== 'confirming') return;
    this.#timeout.cancel();
    this.#state = { kind: 'confirmed', channel: this.#state.channel };
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
        // Data for a slot that was freed a moment ago may still be on its way.
        const peer = this.#slots.keyAt(packet.slot);
        if (peer === undefined) return;
        if ('channel' in this.#state) this.#state.channel.onPeerPacket();
        this.#handlers.onData(peer, packet.data);
        return;
      }
      case 'ping':
      case 'pong':
        // The channel handles them.
        return;
      case 'routing request':
      case 'oob send':
      case 'onion request':
        // Packets of clients; c-toxcore ignores them from a relay as well.
        return;
    }
  }

  #onDrain(): void {
    if ('channel' in this.#state) this.#state.channel.drained();
  }

  #send(packet: RelayPacket): boolean {
    return this.#state.kind === 'confirmed' && this.#state.channel.send(packet);
  }

  #control(packet: RelayPacket): void {
    if ('channel' in this.#state) this.#state.channel.control(packet);
  }
}
